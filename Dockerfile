# ofp-sim in a container: no compiler, no package manager's leftovers, nobody's root.
# Not built in CI: there is no container engine where this is made. `docker build -t ofp-sim .`
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev make perl && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
ARG OFP_SIM_COMMIT=unknown
ENV OFP_SIM_COMMIT=$OFP_SIM_COMMIT
RUN cargo build --release --locked -p ofp-sim

FROM debian:bookworm-slim
# for `driver: browser` add: apt-get install -y chromium chromium-driver libnss3-tools
RUN useradd --create-home --uid 10001 ofp && mkdir /work && chown ofp /work
COPY --from=build /src/target/release/ofp-sim /usr/local/bin/ofp-sim
USER ofp
WORKDIR /work
# the simulated platform (PayNet AS, AS behind mutual TLS, RS, DC); a target's `listen` may say otherwise
EXPOSE 8441 8442 8443 8444
ENTRYPOINT ["ofp-sim"]
CMD ["run"]
