# Every command sets up what it needs first; the second time it starts at once.
#   student    : lab  progress  check-submission  submit
#   instructor : release  bundle  collect  grade  feedback  export  report
#                regrade  trace  similarity  demo
#   contributor: outputs  test  bench  bench-gpu  bench-grading

PYTHON ?= python3
UNIT ?=
STUDENT ?=
FROM ?=

ifeq ($(CONDA_DEFAULT_ENV),deep-learning-course)
BIN := $(CONDA_PREFIX)/bin
READY :=
else
BIN := .venv/bin
READY := .venv/.ready
endif

GRADER = $(BIN)/python -m grader
ONLY = $(if $(UNIT),--unit "$(UNIT)") $(if $(STUDENT),--student "$(STUDENT)")

# the part of JupyterLab that asks, in a pop-up, whether to fetch its news
NEWS = "@jupyterlab/apputils-extension:announcements"
# nbgrader calls a tool of its own by its bare name
export PATH := $(abspath $(BIN)):$(PATH)
# one thread a process: several run side by side
export OMP_NUM_THREADS ?= 1

.PHONY: setup lab progress check-submission submit release bundle collect grade feedback export \
	report regrade trace similarity demo outputs test lint test-code test-notebooks test-browser \
	bench bench-gpu bench-grading

setup: $(READY)
.venv/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	|| { echo "This course needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Setting up .venv (once; this downloads PyTorch and JupyterLab) ..."
	@test -x .venv/bin/pip || $(PYTHON) -m venv .venv \
	|| { echo "Python cannot make a virtual environment: sudo apt-get install python3-venv"; exit 1; }
	@.venv/bin/pip install --quiet --disable-pip-version-check -c constraints.txt setuptools
	@.venv/bin/pip install --quiet --disable-pip-version-check -c constraints.txt \
		--no-build-isolation -e '.[dev]'
	@.venv/bin/jupyter labextension disable --level=sys_prefix $(NEWS) 2>/dev/null
	@touch $@

# --- student ---
lab: $(READY)
	$(BIN)/jupyter lab --config=jupyter_lab_config.py

progress: $(READY)
	@$(GRADER) progress

check-submission: $(READY)
	@$(GRADER) check-submission $(ONLY)

submit: $(READY)
	@$(GRADER) submit $(ONLY)

# --- instructor ---
release: $(READY)
	@$(GRADER) release $(ONLY)

bundle: $(READY)
	@$(GRADER) bundle

collect: $(READY)
	@$(GRADER) collect $(if $(FROM),--from "$(FROM)")

grade: $(READY)
	@$(GRADER) grade $(ONLY) $(if $(AGAIN),--again) $(if $(CLUSTER),--cluster "$(CLUSTER)") \
		$(if $(UNSAFE_NO_SANDBOX),--unsafe-no-sandbox)

feedback: $(READY)
	@$(GRADER) feedback $(ONLY)

export: $(READY)
	@$(GRADER) export

report: $(READY)
	@$(GRADER) report

trace: $(READY)
	@$(GRADER) trace $(ONLY)

regrade: $(READY)
	@$(GRADER) regrade $(ONLY) $(if $(APPLY),--apply)

similarity: $(READY)
	@$(GRADER) similarity $(ONLY)

demo: $(READY)
	@$(GRADER) demo

# --- contributor ---
outputs: $(READY)
	@$(GRADER) outputs $(ONLY)

bench-grading: $(READY)
	@$(GRADER) bench-grading $(if $(STUDENTS),--students $(STUDENTS)) $(if $(KEEP),--keep) \
		$(if $(CLUSTER),--cluster "$(CLUSTER)") $(if $(DB),--db "$(DB)")

test: lint test-code test-notebooks test-browser

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

test-code: $(READY)
	$(BIN)/pytest -q -n 2 -m "not browser"

test-notebooks: $(READY)
	COURSE_PROGRESS=off $(BIN)/pytest -q -n 2 --dist loadfile --nbval solutions

test-browser: $(READY)
	$(BIN)/pytest -q -m browser

bench: $(READY)
	$(BIN)/python -m utils.benchmarks $(if $(CASES),--only "$(CASES)") $(if $(QUICK),--quick)

bench-gpu: $(READY)
	$(BIN)/python -m utils.benchmarks gpu $(if $(CASES),--only "$(CASES)") $(if $(QUICK),--quick)
