# The workflow with everything it needs, at the versions of requirements.txt:
#   docker build --tag jwst-anchoring .
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/data" jwst-anchoring --cores 4 --configfile my.yaml
FROM python:3.13-slim-bookworm

COPY requirements.txt /opt/anchoring/
RUN pip install --no-cache-dir --disable-pip-version-check --requirement /opt/anchoring/requirements.txt
COPY . /opt/anchoring/

# Whoever runs it may have no home there: Snakemake and matplotlib keep their caches here.
ENV HOME=/tmp XDG_CACHE_HOME=/tmp/cache MPLCONFIGDIR=/tmp/matplotlib PYTHONDONTWRITEBYTECODE=1
RUN python -m compileall -q /opt/anchoring/workflow
WORKDIR /data
ENTRYPOINT ["snakemake", "--snakefile", "/opt/anchoring/Snakefile"]
CMD ["--help"]
