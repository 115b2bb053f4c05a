# gofleet/static: a base for static binaries with what a distroless one holds:
# CA roots, time zones, root and nonroot, /tmp. The same files for every platform.
FROM --platform=$BUILDPLATFORM debian-image AS files
RUN mkdir -p /out/etc/ssl/certs /out/usr/share /out/home/nonroot && mkdir -m 1777 /out/tmp && \
    cp /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs/ && \
    cp -a /usr/share/zoneinfo /out/usr/share/ && \
    echo 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin' > /out/etc/passwd && \
    echo 'root:x:0:\nnonroot:x:65532:' > /out/etc/group && \
    chown 65532:65532 /out/home/nonroot

FROM scratch
COPY --link --from=files /out /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
WORKDIR /
