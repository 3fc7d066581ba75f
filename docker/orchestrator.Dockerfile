# The program `mixline`, the libraries it is linked with, certificate authorities, and nothing else.
# `cargo dev images` stages the context, as for the steps. The steps run in images of their own
# (`executor = "container"` in mixline.toml), for which the engine's socket is mounted:
# see compose.yaml.
FROM scratch
COPY base/ /
COPY program /mixline
ARG VERSION
LABEL org.opencontainers.image.title="mixline" \
      org.opencontainers.image.description="Plans and runs marketing measurement pipelines" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt TMPDIR=/tmp
USER 65532:65532
STOPSIGNAL SIGTERM
ENTRYPOINT ["/mixline"]
