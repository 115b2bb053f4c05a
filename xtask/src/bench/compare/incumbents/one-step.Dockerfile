# syntax=docker/dockerfile:1
# One build step for all services. The part between the two marks is repeated for each;
# {name} and {program} are the service, {mains} all main packages, {manifests} the
# mounts of go.mod and go.sum, {builder} the image that gofleet compiles in, too.
FROM --platform=$BUILDPLATFORM {builder} AS modules
ENV CGO_ENABLED=0 GOFLAGS=-mod=readonly GOTOOLCHAIN=local
WORKDIR /src
# Keyed by the manifests alone. The modules are in a cache mount, and the settings of
# the module proxy in no key.
RUN --mount=type=cache,id={modules},target=/go/pkg/mod \
    --mount=type=secret,id=GOPROXY,env=GOPROXY \
    {manifests} \
    go mod download
# With a network: on a builder whose cache mounts are empty, the modules come again.
FROM modules AS build
ARG TARGETOS TARGETARCH
RUN --mount=type=cache,id={modules},target=/go/pkg/mod \
    --mount=type=cache,id={build},target=/root/.cache/go-build \
    --mount=type=secret,id=GOPROXY,env=GOPROXY \
    --mount=type=bind,target=. \
    GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags="-s -w -buildid=" -o /out/ {mains}
# >>> for each service
FROM scratch AS {name}
COPY --from=modules /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/{program} /{name}
USER 65532:65532
ENTRYPOINT ["/{name}"]
# <<<
# What exports a cache of everything.
FROM scratch AS all
COPY --from=build /out/ /
