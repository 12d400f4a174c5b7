# One image for web, workers, beat and the sandbox: docker-compose.yml says what each runs.
FROM python:3.13-slim-bookworm AS built
WORKDIR /app
COPY requirements.txt .
RUN python -m venv .venv && .venv/bin/python -m pip install -qq --no-cache-dir --require-hashes -r requirements.txt
COPY manage.py ./
COPY config config
COPY contacts contacts
COPY messaging messaging
COPY templates templates
COPY static static
# Settings demand secrets; these live for this one command only.
RUN SECRET_KEY=build FIELD_KEYS=build ADDRESS_HMAC_KEY=build DATABASE_URL=postgres:///build REDIS_URL=redis://build \
    STATIC_ROOT=/app/assets .venv/bin/python manage.py collectstatic --no-input -v0

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /data switchboard && install -d -o switchboard /data /spool
WORKDIR /app
COPY --from=built /app /app
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 SWITCHBOARD_HOME=/data STATIC_ROOT=/app/assets
USER switchboard
VOLUME /data /spool
EXPOSE 8000
CMD ["gunicorn", "config.wsgi", "--bind", "0.0.0.0:8000"]
