# golang:VERSION and golang:VERSION-alpine, with the paths and the environment
# of the public images.
#
# Contexts: `gotree` is a Go tree, `base` is debian.Dockerfile.
FROM base AS go
COPY --link --from=gotree / /usr/local/go
ARG VERSION
ENV GOLANG_VERSION=$VERSION GOTOOLCHAIN=local GOPATH=/go \
    PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
WORKDIR /go

# As the public one: no C compiler, no git. Unlike it, the userland is Debian's
# (glibc, apt), since no Alpine packages are to be had here. Programs built with
# CGO_ENABLED=0 do not see the difference.
FROM go AS alpine
RUN mkdir -m 1777 src bin

FROM base AS tools
RUN apt-get update -q && \
    apt-get install -qy --no-install-recommends gcc g++ libc6-dev make git pkg-config && \
    apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/debconf/*-old /var/log/*.log /var/log/apt/*

FROM tools AS bookworm
COPY --link --from=gotree / /usr/local/go
ARG VERSION
ENV GOLANG_VERSION=$VERSION GOTOOLCHAIN=local GOPATH=/go \
    PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
WORKDIR /go
RUN mkdir -m 1777 src bin
