# `make` lists the targets. The work is in scripts/; the targets only name it.

.DEFAULT_GOAL := help
.PHONY: help setup build test test-fast test-all compat durability demo fuzz bench-tracking bench-console bench-serving bench-data fmt check run release clean ci
MAKEFLAGS += --no-print-directory
SOURCES := Package.swift Sources Tests

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what is missing: Debian packages, the Python environment
	@scripts/setup

build: ## build the binary and all tests, in release
	@scripts/build

test: ## Swift tests and the official MLflow client against the binary, on SQLite and PostgreSQL
	@scripts/test

test-fast: ## only the Swift tests of the changed targets, or of T=Tracking
	@scripts/test --fast $(T)

test-all: ## test, and the slow ones: gigabyte artifacts, the long kill -9 loop
	@scripts/test --all

compat: setup ## only the compatibility suite; K=expression selects, TARGET=mlflow judges the real server
	@scripts/setup-data
	@scripts/setup-checks
	@COMPAT_TARGET=$(or $(TARGET),apus) .venv-mlflow/bin/python -m pytest -c Tests/CompatibilityTests/pytest.ini \
	    --rootdir Tests/CompatibilityTests $(if $(K),-k '$(K)',--numprocesses 3) Tests/CompatibilityTests

durability: setup ## kill -9, full disk, few descriptors, torn requests, SQLite against PostgreSQL
	@.venv-mlflow/bin/python -m pytest -c Tests/CompatibilityTests/pytest.ini \
	    --rootdir Tests/CompatibilityTests --numprocesses 3 Tests/CompatibilityTests/durability

demo: ## train, compare, register and serve models from the registry in a minute; KEEP=1 leaves the server running
	@scripts/demo

bench-tracking: setup ## measure against the MLflow server; QUICK=1 three minutes, BIG=1 a million runs
	@.venv-mlflow/bin/python Benchmarks/tracking/bench.py

bench-console: setup ## open the same pages of the Console and of MLflow's UI in Chromium; QUICK=1 three minutes
	@.venv-mlflow/bin/python Benchmarks/console/bench.py

bench-serving: setup ## measure against MLServer, mlflow models serve and BentoML; QUICK=1 three minutes, ONLY=iris,memory a part
	@scripts/setup-peers
	@.venv-mlflow/bin/python -W ignore Benchmarks/serving/bench.py

bench-data: setup ## measure against DVC; QUICK=1 three minutes, ONLY=small,large,million,remote a part
	@scripts/setup-data
	@.venv-mlflow/bin/python Benchmarks/data/bench.py

fuzz: ## fuzz the readers of clients' bytes for a minute each; T=filter for one of them
	@scripts/fuzz $(T)

fmt: ## format the Swift sources
	@swift format --in-place --parallel --recursive --configuration .swift-format $(SOURCES)

check: ## check the format
	@scripts/check

run: ## build and start the server; ARGS="--port 5000" passes options
	@swift build -c release --product apus && exec .build/release/apus server $(ARGS)

release: ## build a binary with the Swift libraries inside
	@swift build -c release --product apus --static-swift-stdlib --scratch-path .build-static
	@ls -l .build-static/release/apus

clean: ## remove everything that was built
	rm -rf .build .build-assets .build-static .build-fuzz .build-limits demo-pages .venv-mlflow .venv-peers .venv-data .venv-checks bench-results

ci: ## what the continuous integration runs
	@.ci/run
