# One file, two images:
#   docker build .                  programs on CPUs; --build-arg TORCH_INDEX=URL takes torch from an index without CUDA
#   docker build --target cuda .    programs on NVIDIA GPUs; pip's own torch brings CUDA along
# The image has the command line as its entry point: `docker run mainstem stream --help`.

ARG PYTHON=3.11.15-slim-bookworm

FROM python:${PYTHON} AS pip
ENV PATH=/opt/mainstem/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/mainstem
WORKDIR /build
COPY constraints.txt ./

# torch first, in a layer of its own: it is most of the image and changes least
FROM pip AS pip-cpu
ARG TORCH_INDEX=
RUN pip install ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} -c constraints.txt torch
COPY . .
RUN pip install -c constraints.txt '.[kafka]'

FROM pip AS pip-cuda
RUN pip install -c constraints.txt torch
COPY . .
RUN pip install -c constraints.txt '.[kafka]'

FROM python:${PYTHON} AS base
ENV PATH=/opt/mainstem/bin:$PATH PYTHONUNBUFFERED=1 HOME=/var/lib/mainstem
# a new volume mounted here takes over the folder's owner
RUN useradd --system --uid 10001 --home-dir "$HOME" --create-home mainstem
USER 10001
WORKDIR /var/lib/mainstem
ENTRYPOINT ["mainstem"]
CMD ["--help"]

FROM base AS cuda
COPY --from=pip-cuda /opt/mainstem /opt/mainstem

FROM base AS cpu
COPY --from=pip-cpu /opt/mainstem /opt/mainstem
