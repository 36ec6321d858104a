# One image for the page and for workers:
#   docker build -t steadfast .
#   docker run -p 127.0.0.1:8501:8501 -v steadfast:/data steadfast           the page, with all that runs beside it
#   docker run -e TEMPORAL_ADDRESS=… steadfast python worker.py              a worker
# compose.yaml and deploy/kubernetes.yaml run several of each.

FROM python:3.13-slim-trixie AS packages
COPY requirements.txt /
RUN python -m venv /opt/venv && /opt/venv/bin/pip install --no-cache-dir --require-hashes --requirement /requirements.txt

FROM python:3.13-slim-trixie
RUN useradd --uid 10001 --home-dir /data --create-home --shell /usr/sbin/nologin steadfast && chmod 0700 /data
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY app.py worker.py pyproject.toml ./
COPY .streamlit/config.toml .streamlit/
COPY agent agent
COPY tools tools
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    STEADFAST_HOME=/data/steadfast \
    STREAMLIT_SERVER_ADDRESS=0.0.0.0 STREAMLIT_SERVER_HEADLESS=true
USER 10001:10001
VOLUME /data
EXPOSE 8501
CMD ["streamlit", "run", "app.py"]
