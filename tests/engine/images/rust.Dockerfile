# rust:VERSION, with the paths and the environment of the public image, and in
# addition the targets x86_64- and aarch64-unknown-linux-musl, so that
# `rustup target add` of these has nothing to fetch.
#
# Context `rustup`: a RUSTUP_HOME with that toolchain, and the rustup program.
FROM buildpack-deps-image
COPY --link --from=rustup settings.toml /usr/local/rustup/
COPY --link --from=rustup update-hashes /usr/local/rustup/update-hashes
COPY --link --from=rustup toolchains /usr/local/rustup/toolchains
COPY --link --from=rustup --chmod=755 rustup /usr/local/cargo/bin/
ARG VERSION
ENV RUSTUP_HOME=/usr/local/rustup CARGO_HOME=/usr/local/cargo RUST_VERSION=$VERSION \
    PATH=/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# rustup looks at the name it is called by.
RUN cd /usr/local/cargo/bin && for name in cargo rustc rustdoc; do ln -s rustup $name; done && cargo --version
