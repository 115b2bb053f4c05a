# golang:VERSION and golang:VERSION-alpine, with the paths and the environment
# of the public images.
#
# Context `gotree`: a Go tree of that version.
FROM buildpack-deps-image AS bookworm
# The public one has it from its base; here only Go fetches over ssh.
RUN apt-get update -q && \
    apt-get install -qy --no-install-recommends openssh-client && \
    apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/debconf/*-old /var/log/*.log /var/log/apt/*
COPY --link --from=gotree / /usr/local/go
ARG VERSION
ENV GOLANG_VERSION=$VERSION GOTOOLCHAIN=local GOPATH=/go \
    PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
WORKDIR /go
RUN mkdir -m 1777 src bin

# As the public one: no C compiler, no git, no ssh. Unlike it, the userland is Debian's
# (glibc, apt), since no Alpine packages are to be had here. Programs built with
# CGO_ENABLED=0 do not see the difference.
FROM debian-image AS alpine
COPY --link --from=gotree / /usr/local/go
ARG VERSION
ENV GOLANG_VERSION=$VERSION GOTOOLCHAIN=local GOPATH=/go \
    PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
WORKDIR /go
RUN mkdir -m 1777 src bin
