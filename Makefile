# What people and CI do, a word each. `make run` and `make test` do all set-up on a fresh Debian machine.
SOURCES = git ls-files '*.h' '*.cpp'
TIDY = run-clang-tidy-14 -quiet -p build

.PHONY: build
build: build/build.ninja ## build the daemon and its tests into build/
	@cmake --build build

.PHONY: run
run: build ## mirror the sample master, or MASTER=https://pypi.org PROJECTS="requests flask" [DIRECTORY=...]
	@exec tests/support/run-sample '$(MASTER)' '$(PROJECTS)' '$(DIRECTORY)'

.PHONY: test
test: build ## run all tests
	@ctest --preset default

.PHONY: test-asan
test-asan: setup ## run the unit tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@cmake --preset asan --log-level=NOTICE
	@cmake --build build-asan
	@# In memory, where there is room: ext4 makes files many times more slowly for minutes after many were deleted.
	@room=$$(df --output=avail /dev/shm 2>/dev/null | tail -n 1); \
		[ "$${room:-0}" -lt 4000000 ] || export TMPDIR=/dev/shm; ctest --preset asan

.PHONY: fuzz
fuzz: setup ## look for bytes that break a reader, a minute each; SECONDS=600 TARGETS="xmlrpc links ..."
	@.ci/setup fuzz
	@cmake --preset fuzz --log-level=NOTICE
	@cmake --build --preset fuzz
	@tests/fuzz/run '$(or $(SECONDS),60)' $(TARGETS)

.PHONY: bench
bench: build ## measure what a mirror costs, beside curl; RUNS=5 ROWS="first pages nothing ..." SCALE=full BENCH_DIRECTORY=...
	@.ci/setup build test bench
	@tests/bench/bench.py

.PHONY: torture
torture: build ## kill the program, cut its power and fill its disks; COUNT=300 SEED=1 PARTS="kills calls full waits power"
	@COUNT='$(COUNT)' SEED='$(SEED)' PARTS='$(PARTS)' tests/torture/torture.py

.PHONY: format
format: setup-lint ## lay out all sources with clang-format
	@$(SOURCES) | xargs clang-format-14 -i

.PHONY: check-format
check-format: setup-lint ## fail where `make format` would change something
	@$(SOURCES) | xargs clang-format-14 --dry-run -Werror

.PHONY: lint
lint: setup-lint build/build.ninja ## check the sources with clang-tidy
	@$(TIDY) '/src/[a-z]+/[^/]+\.cpp$$|/src/main\.cpp$$' > build/lint.log 2>&1 \
		|| { grep -vE '^clang-tidy|warnings generated' build/lint.log; exit 1; }

.PHONY: install
install: build ## install to /usr/local, or PREFIX=/usr; DESTDIR is heeded
	@cmake --install build --prefix '$(or $(PREFIX),/usr/local)'

.PHONY: clean
clean: ## remove what was built
	@rm -rf build build-asan build-tsan build-fuzz

.PHONY: help
help: ## this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' Makefile | expand -t 22

.PHONY: setup setup-lint
setup:
	@.ci/setup build test
setup-lint:
	@.ci/setup build test lint

build/build.ninja: CMakePresets.json | setup
	@cmake --preset default --log-level=NOTICE
