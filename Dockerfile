# syntax=docker/dockerfile:1
# The software with everything that a Ray node or a driver needs, run without root.
#
#   docker build --tag colorization-study .                                             # CPU
#   docker build --tag colorization-study:cuda --build-arg TORCH_BUILD=cu130 .          # CUDA
#   docker run --rm --volume "$PWD/runs:/studies/runs" --volume "$PWD/images:/images:ro" colorization-study \
#       python -m study.launch quick --name mine --data /images --model.vgg16 random
#
# Versions are those of requirements.lock. Layers are ordered by how seldom they change: torch, the other packages, code.
ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS packages
ARG TORCH_BUILD=cpu
ARG TORCH_INDEX=https://download.pytorch.org/whl/${TORCH_BUILD}
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /opt/colorization-study
COPY requirements.lock ./
# Alone, since that index holds few versions of other packages; what they need comes below.
RUN pip install --constraint requirements.lock --no-deps torch torchvision --index-url "${TORCH_INDEX}"
COPY pyproject.toml README.md LICENSE ./
# The packages alone: an empty project of the same name asks for them, and its code comes in the next stage.
RUN mkdir study models data_utils \
    && pip install --constraint requirements.lock '.[postgres,s3,onnx]' \
    && pip uninstall --yes colorization-study

FROM python:${PYTHON}-slim
# KubeRay asks a node whether it is well with wget, in whatever version Debian has.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends wget \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 study \
    && mkdir /studies \
    && chown study /studies
COPY --from=packages /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1
COPY --chown=root:root pyproject.toml README.md LICENSE /opt/colorization-study/
COPY --chown=root:root data_utils /opt/colorization-study/data_utils
COPY --chown=root:root models /opt/colorization-study/models
COPY --chown=root:root study /opt/colorization-study/study
RUN pip install --no-cache-dir --no-deps /opt/colorization-study \
    && rm -rf /opt/colorization-study/build /opt/colorization-study/*.egg-info
USER 1000
WORKDIR /studies
CMD ["python", "-m", "study"]
