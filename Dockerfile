# The images: one executable with only the C libraries that it is linked against (docs/image.md lists the contents), and
# the pooler. deploy/docker/rehearse.ts runs the commands of the stages up to `run` without an engine.
#
# Tags are exact; replace them by digests if you can look them up (docker buildx imagetools inspect).

FROM oven/bun:1.4.5-slim AS dependencies
WORKDIR /build
COPY package.json bun.lock ./
COPY patches ./patches
# Installs by the lockfile and its checksums, without development packages and install scripts.
RUN bun install --frozen-lockfile --production --ignore-scripts

FROM dependencies AS build
COPY lib ./lib
COPY db ./db
COPY seeds ./seeds
COPY src ./src
COPY cli ./cli
COPY deploy/docker/compose-init.ts ./deploy/docker/
# The commit to build: docker build --build-arg COMMIT=$(git rev-parse HEAD)
ARG COMMIT=""
RUN IRONTRACK_COMMIT="$COMMIT" bun cli/main.ts build --out /image/usr/local/bin/irontrack
COPY deploy/docker/assemble.sh ./deploy/docker/
RUN sh deploy/docker/assemble.sh /image

FROM scratch AS run
COPY --from=build /image/ /
# A new volume that is mounted here gets this owner.
COPY --from=build --chown=10001:10001 /home-of-irontrack/ /var/lib/irontrack/
# HOST is empty: Unix sockets only. Argon2 is a file beside the executable, which would otherwise unpack it to /tmp, where
# nothing may be executed.
ENV NODE_ENV=production \
    IRONTRACK_HOME=/var/lib/irontrack \
    HOST="" \
    NAPI_RS_NATIVE_LIBRARY_PATH=/usr/local/lib/irontrack/argon2.node
USER 10001:10001
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=3 \
    CMD ["/usr/local/bin/irontrack", "health"]
ENTRYPOINT ["/usr/local/bin/irontrack"]
CMD ["serve", "--workers", "4"]

# The PgBouncer of Debian. deb13u2 is the first with the fixes of 1.25.1 and 1.25.2
# (CVE-2025-12819, CVE-2026-6664 to 6667); the build fails with an older one.
FROM debian:13.2-slim AS pgbouncer
RUN apt-get update \
    && apt-get install -y --no-install-recommends pgbouncer \
    && dpkg --compare-versions "$(dpkg-query -W -f '${Version}' pgbouncer)" ge 1.24.1-1+deb13u2 \
    && rm -rf /var/lib/apt/lists/* /etc/pgbouncer \
    && mkdir /run/pgbouncer \
    && chown 10003:10001 /run/pgbouncer
USER 10003:10001
# The socket exists only while PgBouncer runs: it is removed on exit.
HEALTHCHECK --interval=5s --timeout=2s --retries=3 CMD ["test", "-S", "/run/pgbouncer/.s.PGSQL.6432"]
STOPSIGNAL SIGINT
ENTRYPOINT ["/usr/sbin/pgbouncer", "/etc/pgbouncer/pgbouncer.ini"]
