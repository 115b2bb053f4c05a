# debian:bookworm: a debootstrap `minbase` tree with ca-certificates and tzdata,
# the ground of golang and rust below.
#
# Context: rootfs.tar, and the machine's CA bundle, because a build step must
# trust what the machine trusts (a company's proxy, for one).
FROM scratch
ADD rootfs.tar /
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
CMD ["bash"]
