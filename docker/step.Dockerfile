# One image per step: the program, the libraries it is linked with, certificate authorities, and
# nothing else. `cargo dev images` stages the context (`base/` and `program`) from programs that are
# compiled already, so no base image and no network is needed:
#
#   docker build -f docker/step.Dockerfile --build-arg STEP=step-fit target/images/step-fit
#
# What goes in decides the image's digest, and the digest is the step's code version: no dates and
# no revisions here.
FROM scratch
COPY base/ /
COPY program /step
ARG STEP
ARG VERSION
LABEL org.opencontainers.image.title="${STEP}" \
      org.opencontainers.image.description="A Mixline step: reads and commits versioned tables" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt TMPDIR=/tmp
# Any numeric user will do; this one is nobody's.
USER 65532:65532
STOPSIGNAL SIGTERM
ENTRYPOINT ["/step"]
