//! Enums whose members have names at the command line and in files, and a sentence for people.

/// Such an enum, from a table: of each member its sentence as documentation, the member, its name.
macro_rules! named {
    ($(#[$attribute:meta])* $enum:ident { $($(#[doc = $what:literal])+ $member:ident $name:literal,)+ }) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $enum { $($(#[doc = $what])+ $member),+ }

        impl $enum {
            /// Every one, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$member),+];

            /// Its name at the command line and in files, in kebab case.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$member => $name),+ }
            }

            /// What it does, in one sentence.
            #[must_use]
            pub fn what(self) -> &'static str {
                match self { $(Self::$member => concat!($($what),+).trim_ascii()),+ }
            }

            /// The one of that name.
            #[must_use]
            pub fn by_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == name)
            }
        }
    };
}

pub(crate) use named;
