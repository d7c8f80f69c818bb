# Every target is one tool or a list of targets; `make help` lists them.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV = $(shell $(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
DATA ?=
NAME ?=
PORT ?= 8080
API_PORT ?= 8000
IMAGES := core data trainer evaluator monitor deployer serving gateway
IMAGE_REGISTRY ?= localhost:5000/car-detection
IMAGE_TAG ?= dev
BASE ?= python:3.11-slim-bookworm
TRAINER_LOCK ?= requirements.txt
DIGESTS ?= build/digests.json
LOCK := uv pip compile --quiet --system-certs --universal --python-version 3.11 --generate-hashes --no-annotate \
    --no-header --no-emit-index-url --custom-compile-command "make lock"
BIN := .venv/bin
READY := .venv/ready

.PHONY: help
help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: $(READY) ## The whole loop on this machine; DATA=folder [NAME=dataset] for your own images
	@$(BIN)/python -m pipelines loop --data "$(DATA)" --name "$(NAME)"

.PHONY: retrain
retrain: $(READY) ## After `make run`: label what drifted, train both candidates, compare
	@$(BIN)/python -m pipelines retrain

.PHONY: tune
tune: export DATASET ?= car-parks
tune: $(READY) ## After `make run`: look for better settings; DATASET=name, TUNE="--trials 4" for more
	@$(BIN)/python -m pipelines run tune --dataset "$$DATASET" $(TUNE)

.PHONY: serve
serve: $(READY) ## Serve the last models on PORT (8080), and the HTTP API on API_PORT (8000)
	@$(BIN)/python -m pipelines serve --port $(PORT) --api-port $(API_PORT)

# Bytecode is written, whatever PYTHONDONTWRITEBYTECODE says: otherwise each of some hundred
# processes would compile the code again, and each worker of pytest every test.
.PHONY: test
test: export PYTHONDONTWRITEBYTECODE :=
test: $(READY) lint ## Style, types, architecture and all tests
	@$(BIN)/python -m pytest -n auto --dist loadfile $(PYTEST_ARGS)

.PHONY: coverage
coverage: $(READY) ## Branch coverage of components and pipelines by all tests: a table, and build/coverage/index.html
	@COVERAGE_FILE=build/coverage.data $(BIN)/python -m pytest -n auto --dist loadfile --cov --cov-report=term \
	    --cov-report=html:build/coverage $(PYTEST_ARGS)

.PHONY: bench
bench: $(READY) ## Speed, size and memory as ratios within one run, one table; ONLY="step reading" for some
	@$(BIN)/python -m tests.benchmarks $(ONLY)

.PHONY: prove-training
prove-training: $(READY) ## Kill trainings and resume them; three seeds on real images; workers in 1.1 GB; DATA=folder
	@$(BIN)/python -m tests.proofs.resume
	@$(BIN)/python -m tests.proofs.accuracy --data "$(DATA)"
	@$(BIN)/python -m tests.proofs.memory --data "$(DATA)"

.PHONY: prove-tracking
prove-tracking: $(READY) ## Trainings on a real MLflow server, through an outage, four at once: one run each
	@$(BIN)/python -m tests.proofs.tracking

.PHONY: prove-recovery
prove-recovery: $(READY) ## Kill runs with SIGKILL at three places; all must end as if undisturbed
	@$(BIN)/python -m tests.proofs.recovery

.PHONY: prove-kafka
prove-kafka: $(READY) ## Ingestion on real Kafka brokers, killed and replaced; needs Java 17 and Maven; ONLY="storm peer"
	@$(BIN)/python -m tests.proofs.kafka $(ONLY)

.PHONY: prove-hardening
prove-hardening: $(READY) ## What strangers send: bombs, damaged files, poison, rude clients; a paused ingester, a store away; ONLY="picture_bombs"
	@$(BIN)/python -m tests.proofs.hardening $(ONLY)

.PHONY: prove-checks
prove-checks: $(READY) ## Packages with every fault we know in the real server: each refused by its word
	@$(BIN)/python -m tests.proofs.checks

.PHONY: prove-gate
prove-gate: $(READY) ## Equal models compared a thousand times: luck promotes fewer than the policy allows
	@$(BIN)/python -m tests.proofs.gate

.PHONY: prove-rollout
prove-rollout: $(READY) ## Good and bad candidates under 50 requests a second: none may fail, bad ones go back
	@$(BIN)/python -m tests.proofs.rollout

.PHONY: prove-cluster
prove-cluster: $(READY) ## Trainings, manifests and rights against a real API server and node: KUBECONFIG=... AWS_...
	@$(BIN)/python -m tests.proofs.cluster_needs
	@$(BIN)/python -m tests.proofs.training
	@$(BIN)/python -m tests.proofs.manifests
	@$(BIN)/python -m tests.proofs.serving

.PHONY: manifests
manifests: ## Every overlay, rendered to build/manifests/<overlay>.yaml (kubectl 1.24 or later)
	@mkdir -p build/manifests
	@for overlay in $(notdir $(wildcard manifests/overlays/*)); do \
	    kubectl kustomize manifests/overlays/$$overlay >build/manifests/$$overlay.tmp && \
	    mv build/manifests/$$overlay.tmp build/manifests/$$overlay.yaml || exit 1; done

.PHONY: events
events: $(READY) ## For people who send events: AsyncAPI document, JSON Schemas and a page, to manifests/events
	@$(BIN)/python -m pipelines.events.asyncapi manifests/events

.PHONY: catalogue
catalogue: $(READY) ## For readers: the table of all jobs in components/README.md, from their signatures
	@$(BIN)/python -m pipelines.policy.catalogue components/README.md

.PHONY: lint
lint: $(READY) ## Format, style, static types, and pipelines as they were reviewed
	@$(BIN)/ruff format --quiet --check . || { echo "run: make format"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/python compile.py --check

.PHONY: format
format: $(READY) ## Rewrite the code in the house's format
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

.PHONY: compile
compile: $(READY) ## Every pipeline to build/<name>.yaml
	@$(BIN)/python compile.py

# What was pushed under the tag that is compiled is named by its digest.
compile upload schedules: export IMAGE_DIGESTS ?= $(wildcard $(DIGESTS))
# These run what was built just now, pushed or not.
prove-images prove-cluster: export IMAGE_DIGESTS :=

.PHONY: images
images: $(IMAGES:%=image-%) ## All images; BASE=python@sha256:... pins what they start from

# The first docker on PATH that can hand a build a secret.
DOCKER ?= $(firstword $(shell for docker in $$(which -a docker); do \
    DOCKER_BUILDKIT=1 $$docker build --help 2>/dev/null | grep -q -- --secret && echo $$docker; done) docker)
DOCKER_BUILD = DOCKER_BUILDKIT=1 $(DOCKER) build --secret id=pip,src=build/pip.conf . \
    --build-arg REVISION=$(shell git rev-parse HEAD) --build-arg VERSION=$(shell git describe --always --dirty)
CORE_PACKAGES := $(IMAGE_REGISTRY)/core:$(IMAGE_TAG)-packages

.PHONY: $(IMAGES:%=image-%)
$(IMAGES:%=image-%): image-%: build/pip.conf
	$(DOCKER_BUILD) --file images/$*/Dockerfile --tag $(IMAGE_REGISTRY)/$*:$(IMAGE_TAG) \
	    $(if $(filter trainer,$*),--build-arg LOCK=$(TRAINER_LOCK)) \
	    --build-arg BASE=$(if $(filter core serving gateway,$*),$(BASE),$(CORE_PACKAGES))
$(patsubst %,image-%,$(filter-out core serving gateway,$(IMAGES))): core-packages

.PHONY: core-packages
core-packages: build/pip.conf
	$(DOCKER_BUILD) --file images/core/Dockerfile --target packages --tag $(CORE_PACKAGES) --build-arg BASE=$(BASE)

# Where pip finds packages here, for the build alone: a secret leaves no trace in an image.
.PHONY: build/pip.conf
build/pip.conf:
	@mkdir -p build
	@umask 077; { echo '[global]'; $(PYTHON) -m pip config list 2>/dev/null | sed -nE \
	    "s/^[^.]+\.((extra-)?index-url|trusted-host)='(http[^']*|[^'/]*)'$$/\1 = \3/p" | awk '!known[$$1]++'; } >$@

.PHONY: push
push: ## Push all images and note their digests, by which `make compile` then names them
	@for image in $(IMAGES); do $(DOCKER) push --quiet $(IMAGE_REGISTRY)/$$image:$(IMAGE_TAG) || exit 1; done
	@mkdir -p $(dir $(DIGESTS))
	@for image in $(IMAGES); do $(DOCKER) image inspect $(IMAGE_REGISTRY)/$$image:$(IMAGE_TAG) \
	    --format '{{range .RepoDigests}}{{println .}}{{end}}' | \
	    sed -nE "s|^($(IMAGE_REGISTRY)/$$image)@(.*)|\"\1:$(IMAGE_TAG)\": \"\2\"|p"; done | \
	    paste -sd, | sed 's/.*/{&}/' >$(DIGESTS)

.PHONY: prove-images
prove-images: $(READY) ## Every image shut in, the train pipeline in containers, no secret anywhere; [DATA=folder]
	@$(BIN)/python -m tests.proofs.images --data "$(DATA)"

.PHONY: lint-pipelines
lint-pipelines: compile ## Every compiled pipeline against the house's policy
	@$(BIN)/python -m pipelines lint build/*.yaml

.PHONY: lint-release
lint-release: $(READY) ## The same for what was compiled to be uploaded: images by digest
	@$(BIN)/python -m pipelines lint --release build/*.yaml

.PHONY: token
token: ## For a build server: what TOKEN says, to the file that KFP_TOKEN names
	@umask 077 && mkdir -p "$$(dirname "$$KFP_TOKEN")" && printf %s "$$TOKEN" >"$$KFP_TOKEN"

.PHONY: train-if-changed
train-if-changed: export DATASET ?= car-parks
train-if-changed: $(READY) ## Start a training if what it learns from changed since SINCE, or the tag delivered
	@$(BIN)/python -m pipelines train-if-changed --dataset "$$DATASET" --since="$${SINCE:-delivered}"

.PHONY: delivered
delivered: ## Move the tag `delivered` to this commit, as who may: GIT_USER, GIT_PASSWORD
	@git -c credential.helper='!printf "username=%s\npassword=%s\n" "$$GIT_USER" "$$GIT_PASSWORD" #' \
	    push --quiet --force origin HEAD:refs/tags/delivered

.PHONY: promote
promote: export DATASET ?= car-parks
promote: export MODEL ?= challenger
promote: $(READY) ## Serve a registered model: a person has approved it
	@$(BIN)/python -m pipelines submit deploy --dataset "$$DATASET" --model "$$MODEL" --again --wait

.PHONY: upload
upload: $(READY) ## This git revision of every pipeline to KFP_HOST
	@$(BIN)/python -m pipelines upload

.PHONY: schedules
schedules: $(READY) ## KFP_HOST starts pipelines by itself when pipelines/schedules.yaml says so
	@$(BIN)/python -m pipelines schedules lint
	@$(BIN)/python -m pipelines schedules apply

.PHONY: prove-kubeflow
prove-kubeflow: $(READY) ## Train, deploy, ask, schedule and remove on a real Kubeflow: KFP_HOST=... KUBECONFIG=...
	@$(BIN)/python -m tests.proofs.kubeflow

.PHONY: lock
lock: $(READY) ## Lock the dependencies of pyproject.toml, for everything and for each image; UPGRADE=--upgrade for the newest
	@PATH="$(BIN):$$PATH"; $(LOCK) $(UPGRADE) --group all --output-file requirements.txt
	@PATH="$(BIN):$$PATH"; for image in $(IMAGES); do \
	    $(LOCK) --group $$image --constraint requirements.txt \
	        --output-file images/$$image/requirements.txt || exit 1; done
	@PATH="$(BIN):$$PATH"; $(LOCK) --group trainer-gpu --constraint requirements.txt \
	    --output-file images/trainer/requirements-gpu.txt

.PHONY: clean
clean: ## Forget state, builds and caches; the environment stays
	@rm -rf .state build .mypy_cache .ruff_cache .hypothesis
	@find components pipelines tests -name __pycache__ -prune -exec rm -rf {} +

.PHONY: setup
setup: $(READY) ## The environment alone, from hash-locked requirements

# pip brings uv, at its locked digest, and uv installs the rest; where uv cannot reach the
# package index that pip is set up for, pip installs it all. Bytecode is written now, for with
# PYTHONDONTWRITEBYTECODE, as containers often have it, each process would compile TensorFlow.
$(READY): requirements.txt
	@echo "setting up .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -c 'import sys; v = sys.version_info; \
	    sys.exit(None if (3, 11) <= v < (3, 14) else f"Python {v[0]}.{v[1]} found, 3.11 to 3.13 wanted")'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || if [ "$$(id -u)" = 0 ]; then \
	    apt-get update -qq && apt-get install -qq -y $(VENV); else \
	    echo "$(VENV) is missing: sudo apt-get install $(VENV)"; exit 2; fi
	@rm -rf .venv && $(PYTHON) -m venv .venv
	@awk '/^[a-z]/ {on = /^uv==/} on' requirements.txt >.venv/uv.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.txt
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --system-certs --compile-bytecode --require-hashes \
	    -r requirements.txt || \
	    $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	@touch $@
