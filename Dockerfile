# Sandbox in a container, and a workstation to use it from. docker-compose.yml runs the two together.
#
#   docker build --tag sandbox .
#   docker build --tag sandbox-lab --target lab .
ARG PYTHON_IMAGE=python:3.13-slim
ARG LAB_IMAGE=debian:bookworm-slim

# Builds the virtual environment; nothing else of this stage is kept.
FROM ${PYTHON_IMAGE} AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY sandbox sandbox
COPY configs configs
RUN python3 -m venv /opt/sandbox \
 && /opt/sandbox/bin/pip install --no-cache-dir --disable-pip-version-check . \
 && /opt/sandbox/bin/pip uninstall --yes pip

# A workstation whose whole internet is the sandbox.
FROM ${LAB_IMAGE} AS lab
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
    bind9-dnsutils ca-certificates curl getmail6 inetutils-telnet iputils-ping knot-dnsutils less lftp \
    libnet-dns-perl libnet-ssleay-perl mutt nano netcat-openbsd openssh-client openssl swaks vim-tiny wget xxd \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --shell /bin/bash learner \
 && setcap -r /usr/bin/ping \
 && chown -R learner /etc/ssl/certs /usr/local/share/ca-certificates
COPY --chmod=755 configs/lab-start.sh /usr/local/bin/lab-start
USER learner
WORKDIR /home/learner
ENTRYPOINT ["lab-start"]
CMD ["sleep", "infinity"]

# The sandbox itself. It stands last, so that it is what a plain build makes.
FROM ${PYTHON_IMAGE} AS sandbox
COPY --from=build /opt/sandbox /opt/sandbox
COPY configs /etc/sandbox
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin sandbox \
 && install --directory --owner=sandbox --group=sandbox --mode=0700 /data
ENV PATH=/opt/sandbox/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    SANDBOX_CONFIG=/etc/sandbox/container.toml
USER sandbox
VOLUME /data
EXPOSE 80/tcp 443/tcp 53/udp 53/tcp 853/tcp 25/tcp 587/tcp 465/tcp 110/tcp 995/tcp 143/tcp 993/tcp 21/tcp 990/tcp 22/tcp \
    7/udp 7/tcp 9/udp 9/tcp 13/udp 13/tcp 17/udp 17/tcp 19/udp 19/tcp 37/udp 37/tcp
# It connects to one service, so not too often: each look is a session in the journal.
HEALTHCHECK --interval=10s --timeout=8s --start-period=5s CMD ["sandbox", "ready"]
ENTRYPOINT ["sandbox"]
CMD ["up"]
