# The same targets on a laptop and in CI. `make` lists them.

SHELL    := bash
GO       ?= go
FUZZ ?= 40000x
SOAK     ?= 100
SEEDS    ?= 10000
GOLANGCI_LINT ?= $(shell .ci/golangci-lint --path)

.DEFAULT_GOAL := help
.PHONY: help run build test race soak worlds lint format bench fuzz specs schema ci

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## count the words of the example, with nothing installed
	$(GO) run -tags nocloud ./cmd/deed run examples/wordcount/process.yaml --in corpus=examples/wordcount/corpus

build: ## build the command into bin/
	$(GO) build -trimpath -o bin/deed ./cmd/deed

test: ## run all tests
	$(GO) test ./...

race: ## run all tests with the race detector
	$(GO) test -race ./...

soak: ## kill a run, and its workers, again and again, SOAK=100 rounds
	$(GO) test ./cmd/deed -run Killed -count=1 -timeout 0 -v -soak $(SOAK)

worlds: ## run the stepped worlds, SEEDS=10000 of them, and plant the faults that they have to find
	$(GO) test ./internal/whole -run InAnyWorld -count=1 -timeout 0 -seeds $(SEEDS)
	$(GO) test ./internal/whole -tags planted -run PlantedFault -count=1 -v

lint: ## check form, and what the linters know
	@.ci/golangci-lint
	$(GOLANGCI_LINT) run ./...

format: ## bring all files into form
	@.ci/golangci-lint
	$(GOLANGCI_LINT) fmt ./...

bench: ## run the benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...

fuzz: ## fuzz every target with FUZZ=40000x inputs
	@.ci/fuzz $(FUZZ)

specs: ## write docs/specs.md, the rules of a process as prose
	$(GO) run ./cmd/deed spec -o markdown > docs/specs.md.new
	mv docs/specs.md.new docs/specs.md

schema: ## write the JSON Schema of definitions, for editors
	$(GO) run ./cmd/deed schema > orchestrator/definition/parse/schema.json.new
	mv orchestrator/definition/parse/schema.json.new orchestrator/definition/parse/schema.json

ci: ## do all that CI does
	.ci/run
