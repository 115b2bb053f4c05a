# debian:bookworm, a debootstrap `minbase` tree with ca-certificates and tzdata,
# and buildpack-deps:bookworm, the same with compilers: what golang and rust
# stand on, as the public ones do.
#
# Context: rootfs.tar, and the machine's CA bundle, because a build step must
# trust what the machine trusts (a company's proxy, for one).
FROM scratch AS debian
ADD rootfs.tar /
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
CMD ["bash"]

FROM debian-image AS buildpack-deps
RUN apt-get update -q && \
    apt-get install -qy --no-install-recommends gcc g++ libc6-dev make git pkg-config && \
    apt-get clean && rm -rf /var/lib/apt/lists/* /var/cache/debconf/*-old /var/log/*.log /var/log/apt/*
