//! The test data.

use super::{
    Account, AccountKind, Books, Customer,
    account::AccountStatus::{Blocked, Closed},
};

impl Books {
    /// `paynet` with two deposits, a card and a closed account; `aisyah` with one account; `farid` with
    /// a car, a house and a blocked account; `siti` with a pension.
    #[must_use]
    pub fn with_test_data() -> Self {
        use AccountKind::{CreditCard, Current, HirePurchase, Mortgage, Pension, Savings};
        let account = Account::new;
        let customers = vec![
            customer(
                "paynet",
                "Tan Mei Ling",
                "900101-14-5678",
                vec![
                    account("114098765432", "Everyday Savings", Savings, "25000.75"),
                    account("514012345678", "Business of Living", Current, "1830.20"),
                    account("5196030012345678", "Platinum Card", CreditCard, "742.15"),
                    account("114000000017", "Old Savings (closed)", Savings, "0.00")
                        .that_is(Closed),
                ],
            ),
            customer(
                "aisyah",
                "Nur Aisyah binti Rahman",
                "880808-10-1234",
                vec![account("114055500011", "Simpanan Aisyah", Savings, "310.00")],
            ),
            customer(
                "farid",
                "Ahmad Farid bin Osman",
                "790215-08-4321",
                vec![
                    account("514077700021", "Akaun Semasa", Current, "6120.40"),
                    account("814077700031", "Perodua Myvi", HirePurchase, "41250.00"),
                    account("914077700041", "Rumah Shah Alam", Mortgage, "487300.55"),
                    account("114077700051", "Frozen Savings", Savings, "90.10").that_is(Blocked),
                ],
            ),
            customer(
                "siti",
                "Siti Nurhaliza binti Ismail",
                "850630-03-2468",
                vec![
                    account("114033300061", "Simpanan Siti", Savings, "15420.00"),
                    account("714033300071", "Persaraan", Pension, "203118.27"),
                ],
            ),
        ];
        Self { seed: 0, customers }
    }
}

/// The password is the username, as with PayNet's own simulator (S1:L87).
fn customer(username: &str, name: &str, nric: &str, accounts: Vec<Account>) -> Customer {
    let (username, password) = (username.to_owned(), username.to_owned());
    Customer { username, password, name: name.into(), nric: nric.into(), accounts }
}
