# The command deed alone: static, as a user without rights, for amd64 and arm64.
#
#   docker build -t deed .                                            from this source, with a network
#   docker build -t deed --build-arg BASE=scratch .                   the same, on nothing
#   deploy/docker/prebuild && docker build -t deed --target prebuilt -f Dockerfile bin/image
#                                                                     from binaries that were built before
#
# Steps that run programs need those in the image of the worker, which takes deed from this one:
#
#   FROM python:3.13-slim
#   COPY --from=deed /usr/bin/deed /usr/bin/deed
#   USER 65532
#   ENTRYPOINT ["/usr/bin/deed"]

ARG BASE=gcr.io/distroless/static-debian12:nonroot
ARG GO=docker.io/library/golang:1.26

FROM ${BASE} AS base
LABEL org.opencontainers.image.title="deed" \
      org.opencontainers.image.description="Event-sourced batch orchestrator with competing workers" \
      org.opencontainers.image.source="https://github.com/deedrun/deed" \
      org.opencontainers.image.documentation="https://github.com/deedrun/deed/blob/main/deploy/README.md" \
      org.opencontainers.image.licenses="Apache-2.0"
USER 65532:65532
ENTRYPOINT ["/usr/bin/deed"]
CMD ["--help"]
# There is no HEALTHCHECK: what to ask depends on the role. `deed ready --server URL` is there for it.

# Beside the command there are the certificate authorities, and two empty folders: /tmp for what programs see, /data for
# `deed up`.
FROM base AS prebuilt
ARG TARGETARCH
COPY root/etc /etc
COPY --chown=65532:65532 root/tmp /tmp
COPY --chown=65532:65532 root/data /data
COPY deed-${TARGETARCH} /usr/bin/deed
WORKDIR /data

FROM --platform=${BUILDPLATFORM} ${GO} AS build
ARG TARGETOS TARGETARCH
# The source is the clone with its .git, from which the binary takes its version.
RUN --mount=type=bind,target=/src --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    cd /src && git config --global --add safe.directory /src && \
    CGO_ENABLED=0 GOOS=${TARGETOS} GOARCH=${TARGETARCH} go build -trimpath -ldflags="-s -w" -o /out/deed ./cmd/deed && \
    mkdir -p /out/root/tmp /out/root/data /out/root/etc/ssl/certs && cp /etc/ssl/certs/ca-certificates.crt /out/root/etc/ssl/certs/

FROM base
COPY --from=build /out/root/etc /etc
COPY --from=build --chown=65532:65532 /out/root/tmp /tmp
COPY --from=build --chown=65532:65532 /out/root/data /data
COPY --from=build /out/deed /usr/bin/deed
WORKDIR /data
