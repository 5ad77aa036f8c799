# Everything the house does, one line of go each. `make` prints this list.

GO       ?= go
LINT     := $(GO) tool -modfile=tools.mod golangci-lint
FUZZTIME ?= 60s
SOAK     ?= 20

.DEFAULT_GOAL := help
.PHONY: help build test race lint fmt bench interop deploy soak fuzz screenshots tidy demo ci

help: ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/tradepost
	$(GO) build -trimpath -o bin/tradepost ./cmd/tradepost

test: ## run all tests; needs Go alone, and says what it leaves out without Postgres or corpus
	@$(GO) test -json ./... | $(GO) run ./internal/testsummary

race: ## run all tests with the race detector (needs a C compiler)
	$(GO) test -race ./...

lint: ## vet, lint and check the formatting
	$(LINT) run --allow-parallel-runners ./...

fmt: ## format every file as the linter wants it
	$(LINT) fmt ./...

bench: ## run every benchmark; x-%y is the speed of x as a share of that of y in the same run; StAEDI and OpenAS2 beside ours where Java and Maven are
	$(GO) test -run '^$$' -bench . -benchmem ./...

interop: ## trade with openssl, OpenAS2 and pyas2lib, and with what other AS2 products recorded
	TRADEPOST_INTEROP=1 $(GO) test -count=1 -timeout 40m ./interop/...
	$(GO) test -count=1 -run 'OpenSSL|Corpus|Drummond' ./as2/... ./certs/... ./edi/...

deploy: ## have systemd read the unit, and run a station in an empty root, as the image does
	TRADEPOST_DEPLOY=1 $(GO) test -count=1 ./deploy

soak: ## 4 GB over AS2 each way, broken and killed; 5 GB of EDI checked in 64 MiB, thrice; certificates rolled over under load; stations killed; SOAK demonstrations
	TRADEPOST_SOAK=1 $(GO) test -count=1 -timeout 60m -v -run Soak ./transport/as2
	TRADEPOST_SOAK=1 $(GO) test -count=1 -timeout 60m -v -run Soak ./cmd/tradepost
	TRADEPOST_SOAK=1 $(GO) test -count=1 -timeout 60m -v -run 'RolloverUnderLoad|SurvivesTheDeath' ./internal/gateway ./internal/demo
	@for i in $$(seq $(SOAK)); do echo "round $$i of $(SOAK)"; $(GO) run ./cmd/tradepost demo --once -o jsonl || exit 1; done

fuzz: ## fuzz every target for FUZZTIME
	@for pkg in $$($(GO) list ./...); do for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	  echo "$$pkg $$f"; $(GO) test $$pkg -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x -parallel 2 || exit 1; done; done

screenshots: ## take pictures of every page into bin/pictures, two of them for the README (needs Chromium)
	mkdir -p bin/pictures
	$(GO) test -count=1 -run TestPagesInABrowser ./internal/console -args -pictures $(CURDIR)/bin/pictures
	install -m 644 bin/pictures/document-rejected-1280-light.png bin/pictures/today-1280-light.png docs/images/

tidy: ## fail when go.mod is not tidy or a file is not formatted
	$(GO) mod tidy -diff
	@test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }

demo: ## two stations on this machine trade once
	$(GO) run ./cmd/tradepost demo --once

ci: tidy lint test interop deploy demo ## everything a change must pass
