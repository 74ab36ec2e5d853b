# The single door. `just` alone lists the recipes.

default:
    @just --list

# play the journey against the reference DP
run *ARGS:
    cargo run -- run {{ARGS}}

# the platform as a standing sandbox, until Ctrl-C
up *ARGS:
    cargo run -- up {{ARGS}}

# the tests
test:
    cargo test --workspace

# everything that CI checks but the interoperability tests
check: test
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# strangers' opinions: needs the openssl command, Python and jwcrypto
interop:
    cargo test -p ofp-jose -p ofp-pki --features ofp-jose/interop,ofp-pki/interop,ofp-jose/vendored

# faults of the reference DP, all or those that are named, against the whole suite
prove *FAULTS:
    cargo run -q --release -p ofp-runner --features vendored --example prove -- {{FAULTS}}

# docs/proof.md, anew, unless something is not proven
proof:
    cargo run -q --release -p ofp-runner --features vendored --example prove > target/proof.md
    mv target/proof.md docs/proof.md

# docs/schema, docs/language.md and docs/problems.md, anew
schema:
    for document in target scenario profile report event; do cargo run -q -- schema $document > docs/schema/$document.json; done
    for page in language problems; do cargo run -q -- explain $page > docs/$page.md; done

# look scenario files through, without playing them
lint *PATHS:
    cargo run -q -- lint {{PATHS}}

# the book, in target/book (`cargo install mdbook`)
docs:
    mdbook build docs

# every command of the documentation, every recipe, editors, the book
check-docs:
    cargo build -q
    .ci/docs

# docs/bring-your-own-dp.md, as it stands there
bring-your-own-dp:
    cargo build -q
    .ci/bring-your-own-dp

# docs/requirements.md, anew
requirements:
    cargo run -q -- explain > docs/requirements.md

# other implementations against a built `ofp-sim up`; needs what .ci/run installs
strangers:
    .ci/strangers

# the OpenAPI documents, anew
openapi:
    cargo run -q -- schema platform > docs/openapi/platform.json
    cargo run -q -- schema control > docs/openapi/control.json

# make, or show, the throwaway certificates
pki *ARGS='show':
    cargo run -- pki {{ARGS}}

# accept the conversations of the scenarios as they are now
accept:
    cargo run -- run scenarios --snapshots accept

# ratios to the raw operations of the same OpenSSL
bench:
    cargo bench -p ofp-jose --features vendored
    cargo bench -p ofp-runner --features vendored

# tokens a second beside npm's oidc-provider, in one run
token-load:
    .ci/token-load

# one static Linux binary, checksums, bill of materials, completions: target/dist
dist:
    .ci/dist
