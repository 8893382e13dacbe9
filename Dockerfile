# The service, small and without root. `docker build -t lockstep .`

FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv /opt/build && python -m venv --without-pip /opt/lockstep
COPY requirements.lock requirements-dev.lock ./
# The build tool is pinned like everything else, but stays out of the image.
RUN sed -n '/^setuptools==/,/[^\\]$/p' requirements-dev.lock > requirements-build.lock \
    && /opt/build/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements-build.lock \
    && /opt/build/bin/pip --python /opt/lockstep/bin/python install --no-cache-dir --no-deps --only-binary :all: \
        --require-hashes -r requirements.lock
COPY pyproject.toml README.md ./
COPY app ./app
COPY migrations ./migrations
RUN /opt/build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /src/dist . \
    && /opt/build/bin/pip --python /opt/lockstep/bin/python install --no-cache-dir --no-deps /src/dist/*.whl

FROM python:3.13-slim
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/lockstep lockstep
COPY --from=build /opt/lockstep /opt/lockstep
ENV PATH=/opt/lockstep/bin:$PATH PYTHONUNBUFFERED=1 LOCKSTEP_DATA_DIR=/var/lib/lockstep
# A number, so that a platform can see that it is not root.
USER 10001
WORKDIR /var/lib/lockstep
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["lockstep"]
CMD ["serve", "--host", "0.0.0.0"]
