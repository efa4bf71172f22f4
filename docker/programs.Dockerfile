# One recipe for the three programs; `--target` chooses which one the image runs.
# The page is built first, because the backend carries it inside.
FROM node:20-bookworm-slim AS page
WORKDIR /build/frontend
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY frontend ./
RUN npm run build

FROM rust:1.95-bookworm AS programs
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
COPY domain domain
COPY exchange exchange
COPY database database
COPY failpoint failpoint
COPY damage damage
COPY faulty-broker faulty-broker
COPY stand-in stand-in
COPY alpaca-stand-in alpaca-stand-in
COPY kiwoom-stand-in kiwoom-stand-in
COPY bench bench
COPY backend backend
COPY market-data market-data
COPY broker-connector broker-connector
COPY migrations migrations
COPY --from=page /build/frontend/dist frontend/dist
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --bin backend --bin market-data --bin broker-connector \
    && cp target/release/backend target/release/market-data target/release/broker-connector /usr/local/bin/

FROM debian:bookworm-slim AS base
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --user-group --no-create-home --shell /usr/sbin/nologin gaemi
USER gaemi
# The allocator's huge pages turn small idle programs into large ones; so does what it keeps of what was freed. It gives that
# back after these milliseconds.
ENV MIMALLOC_ALLOW_THP=0 MIMALLOC_PURGE_DELAY=100
STOPSIGNAL SIGTERM

FROM base AS market-data
COPY --from=programs /usr/local/bin/market-data /usr/local/bin/market-data
# The place of the replay is kept here; a volume takes its owner over.
USER root
RUN mkdir -m 0700 /var/lib/gaemi && chown gaemi: /var/lib/gaemi
USER gaemi
ENV GAEMI_MARKET_DATA_HOST=0.0.0.0 GAEMI_REPLAY_STATE=/var/lib/gaemi/replay.json
EXPOSE 8001
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD curl -fsS http://127.0.0.1:8001/ready
ENTRYPOINT ["market-data"]

FROM base AS broker-connector
COPY --from=programs /usr/local/bin/broker-connector /usr/local/bin/broker-connector
ENV GAEMI_BROKER_CONNECTOR_HOST=0.0.0.0
EXPOSE 8002
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD curl -fsS http://127.0.0.1:8002/ready
ENTRYPOINT ["broker-connector"]

FROM base AS backend
COPY --from=programs /usr/local/bin/backend /usr/local/bin/backend
ENV GAEMI_BACKEND_HOST=0.0.0.0
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD curl -fsS http://127.0.0.1:8000/ready
ENTRYPOINT ["backend"]

# The same major version as the database: its programs read what it writes.
FROM postgres:16-bookworm AS backup
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 \
    && rm -rf /var/lib/apt/lists/* \
    && mkdir -m 0700 /backups && chown postgres: /backups
COPY scripts /srv/gaemi/scripts
WORKDIR /srv/gaemi
USER postgres
ENV GAEMI_STATE_DIR=/tmp/gaemi
HEALTHCHECK --interval=5m --timeout=10s --start-period=10m CMD /srv/gaemi/scripts/backup-nightly --fresh /backups
ENTRYPOINT ["/srv/gaemi/scripts/backup-nightly", "/backups"]
