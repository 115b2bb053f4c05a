# syntax=docker/dockerfile:1
# A build step per service. The part between the two marks is repeated for each;
# {name} and {main} are the service, {manifests} the mounts of go.mod and go.sum,
# {builder} the image that gofleet compiles in, too.
FROM --platform=$BUILDPLATFORM {builder} AS modules
ENV CGO_ENABLED=0 GOFLAGS=-mod=readonly GOTOOLCHAIN=local
WORKDIR /src
# Keyed by the manifests alone. The modules are in a cache mount, and the settings of
# the module proxy in no key.
RUN --mount=type=cache,id={modules},target=/go/pkg/mod \
    --mount=type=secret,id=GOPROXY,env=GOPROXY \
    {manifests} \
    go mod download
ARG TARGETOS TARGETARCH
ENV GOOS=$TARGETOS GOARCH=$TARGETARCH
# >>> for each service
# With a network: on a builder whose cache mounts are empty, the modules come again.
FROM modules AS build-{name}
RUN --mount=type=cache,id={modules},target=/go/pkg/mod \
    --mount=type=cache,id={build},target=/root/.cache/go-build \
    --mount=type=secret,id=GOPROXY,env=GOPROXY \
    --mount=type=bind,target=. \
    go build -trimpath -ldflags="-s -w -buildid=" -o /out/{name} {main}
FROM scratch AS {name}
COPY --from=modules /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build-{name} /out/{name} /{name}
USER 65532:65532
ENTRYPOINT ["/{name}"]
# <<<
# What exports a cache of everything.
FROM scratch AS all
# >>> for each service
COPY --from=build-{name} /out/{name} /{name}
# <<<
