# tetherd.  Targets:
#	all (default)	the programs, in build/{sbin,bin,libexec}
#	check		unit, page and integration tests: all of these
#	unit		each module by itself
#	page		the script of pages, against fakes of a browser
#	integration	the programs, against fakes of what they talk to
#	e2e		the real web apps through hub and tetherd, in Chromium
#	demo		hub, tetherd and a web app to try, until Ctrl-C
#	fuzz bench	see tests/fuzz and tests/bench
#	soak		what is left over of many of everything; root only
#	lint		format, headers that compile alone, scripts, manual pages
#			and whether they say all that the programs know
#	install uninstall	under $(DESTDIR)$(PREFIX)
#	deps clean dist

VERSION = 0.1.0

# tetherd finds its children by its own place, in ../libexec/tetherd.
PREFIX    ?= /usr/local
SBINDIR    = $(PREFIX)/sbin
BINDIR     = $(PREFIX)/bin
LIBEXECDIR = $(PREFIX)/libexec/tetherd
MANDIR    ?= $(PREFIX)/share/man
DOCDIR    ?= $(PREFIX)/share/doc/tetherd
# All of these are looked at below /usr and /usr/local.
LIBDIR     = $(PREFIX)/lib
UNITDIR   ?= $(LIBDIR)/systemd/system
USERUNITDIR ?= $(LIBDIR)/systemd/user
SECTIONS   = 5 7 8
MANUALS   := $(wildcard $(SECTIONS:%=man/*.%))

# Objects of different sanitizers do not mix, so each gets its own folder.
SANITIZE ?=
comma := ,
B := build$(if $(SANITIZE),/$(subst $(comma),-,$(SANITIZE)))

PKG_CONFIG ?= pkg-config
cflags = $(shell $(PKG_CONFIG) --cflags $(1) 2>/dev/null)
libs   = $(shell $(PKG_CONFIG) --libs $(1) 2>/dev/null)

WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wvla \
	-Wformat=2 -Wold-style-definition -Wswitch-enum
ifeq ($(CI),true)
WARNINGS += -Werror
endif
ifeq ($(SANITIZE),)
HARDEN = -D_FORTIFY_SOURCE=3
else
HARDEN = -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
endif
HARDEN += -fstack-protector-strong -fstack-clash-protection -fPIE \
	-fcf-protection -ftrivial-auto-var-init=zero
# Which need more than a sandbox leaves.
CPPFLAGS_SANITIZED = $(if $(SANITIZE),-DSANITIZED)
LDHARDEN = -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed

CFLAGS ?= -O2 -g
override CFLAGS += -std=gnu11 $(WARNINGS) $(HARDEN) -fdata-sections \
	-ffunction-sections
override CPPFLAGS += -I. -D_GNU_SOURCE -DTETHERD_VERSION='"$(VERSION)"' \
	$(CPPFLAGS_SANITIZED) \
	$(call cflags,libbsd-overlay libevent json-c libcurl sqlite3 openssl zlib libseccomp)
override LDFLAGS += $(LDHARDEN) -Wl,--gc-sections \
	$(if $(SANITIZE),-fsanitize=$(SANITIZE))

# Each program and test links what its folder needs, and nothing else.
LIBS_common    = $(call libs,libevent_core libbsd-overlay libseccomp)
# libmd comes with libbsd; the opening handshake needs its SHA-1.
LIBS_ws        = -lwslay $(call libs,libmd)
LIBS_sandbox   = $(LIBS_common)
LIBS_tetherd   = $(LIBS_common)
LIBS_dialer    = $(LIBS_common)
LIBS_launcher  = $(LIBS_common)
LIBS_tetherctl = $(call libs,libbsd-overlay)
LIBS_connector = $(LIBS_common) $(LIBS_ws) $(call libs,libevent_openssl json-c openssl)
LIBS_proxyd    = $(LIBS_common) $(LIBS_ws) $(call libs,json-c libcurl zlib)
LIBS_authd     = $(LIBS_common) $(call libs,sqlite3 json-c libcurl openssl)
LIBS_hub       = $(LIBS_common) $(LIBS_ws) $(call libs,libevent_extra json-c)

ROOMS = common sandbox tetherd launcher dialer tetherctl connector proxyd authd hub
OBJS_common    := $(patsubst %.c,$(B)/%.o,$(wildcard common/*.c))
OBJS_sandbox   := $(patsubst %.c,$(B)/%.o,$(wildcard sandbox/*.c))
OBJS_dialer    := $(patsubst %.c,$(B)/%.o,$(wildcard tetherd/dialer*.c))
# What the launcher does, and what tetherd does to start it.
OBJS_launcher  := $(B)/tetherd/launcher_main.o $(B)/tetherd/spawn.o
# What tetherd and tetherctl agree on is in both.
OBJS_ctl       := $(patsubst %.c,$(B)/%.o,$(wildcard tetherd/ctl_*.c))
OBJS_tetherctl := $(OBJS_ctl) $(B)/tetherd/control_protocol.o \
	$(B)/tetherd/json_string.o
OBJS_tetherd   := $(filter-out $(OBJS_dialer) $(OBJS_ctl) $(B)/tetherd/launcher_main.o,$(patsubst %.c,$(B)/%.o,$(wildcard tetherd/*.c))) \
	$(B)/tetherd/parse.o
OBJS_connector := $(patsubst %.c,$(B)/%.o,$(wildcard connector/*.c))
OBJS_proxyd    := $(patsubst %.c,$(B)/%.o,$(wildcard proxyd/*.c))
OBJS_authd     := $(patsubst %.c,$(B)/%.o,$(wildcard authd/*.c))
OBJS_hub       := $(patsubst %.c,$(B)/%.o,$(wildcard hub/*.c))

# The programs, by the folder that they come from; the main file of each
# stays out of the archive that its unit tests link.
CHILDREN = launcher connector proxyd authd dialer
BINARIES = $(B)/sbin/tetherd $(B)/sbin/tetherctl $(CHILDREN:%=$(B)/libexec/tetherd/%) $(B)/bin/tether-hub
MAIN_tetherd   = $(B)/tetherd/main.o
MAIN_launcher  = $(B)/tetherd/launcher_main.o
MAIN_dialer    = $(B)/tetherd/dialer_main.o
MAIN_tetherctl = $(B)/tetherd/ctl_main.o
MAIN_connector = $(B)/connector/main.o
MAIN_proxyd    = $(B)/proxyd/main.o
MAIN_authd     = $(B)/authd/main.o
MAIN_hub       = $(B)/hub/main.o

all: $(BINARIES)

define archive
$(B)/lib$(1).a: $$(filter-out $$(MAIN_$(1)),$$(OBJS_$(1)))
	@rm -f $$@
	$$(if $$^,ar rcs $$@ $$^,ar rcs $$@)
endef
$(foreach room,$(ROOMS),$(eval $(call archive,$(room))))

# $(1): the room, $(2): where the program goes, as it does when installed.
define program
$(2): $$(MAIN_$(1)) $(B)/lib$(1).a $(B)/libsandbox.a $(B)/libcommon.a
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) -o $$@ $$^ $$(LIBS_$(1))
endef
$(eval $(call program,tetherd,$(B)/sbin/tetherd))
$(eval $(call program,tetherctl,$(B)/sbin/tetherctl))
$(eval $(call program,hub,$(B)/bin/tether-hub))
$(foreach c,$(CHILDREN),$(eval $(call program,$(c),$(B)/libexec/tetherd/$(c))))

# What is missing is installed before anything is compiled.
PURPOSES = build check demo e2e lint fuzz bench
$(PURPOSES:%=deps-%): deps-%:
	@sh etc/deps.sh $*
# One at a time: apt-get locks.
deps-check deps-demo deps-lint deps-fuzz: | deps-build
deps-e2e deps-bench: | deps-check

$(B)/%.o: %.c | deps-build
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The grammar of tetherd.conf.  Its names begin with grammar_.
YACC = byacc
%.c: %.y
$(B)/tetherd/parse.c: tetherd/parse.y | deps-build
	@mkdir -p $(@D)
	$(YACC) -p grammar_ -o $@ $<

$(B)/tetherd/parse.o: $(B)/tetherd/parse.c | deps-build
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Embedded, which the compiler does not tell make about.
PAGE_SCRIPTS = $(B)/proxyd/page.js $(B)/proxyd/worker.js
$(B)/proxyd/page.o: $(PAGE_SCRIPTS)
$(B)/proxyd/page.o: override CFLAGS += -Wa,-I$(B)
$(B)/hub/page.o: hub/page.html hub/page.js hub/page.css

-include $(shell find $(B) -name '*.d' 2>/dev/null)

# Unit tests: one program per file, in a folder named for the room.
UNIT := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/*/test_*.c))
.SECONDEXPANSION:
$(B)/tests/unit/%: $(B)/tests/unit/%.o $(B)/lib$$(*D).a $(B)/libsandbox.a $(B)/libcommon.a
	$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS_$(*D)) $(LIBS_ws) $(call libs,json-c openssl cmocka)

$(UNIT:%=%.o): | deps-check

# They start the program itself.
$(B)/tests/unit/connector/test_connector $(B)/tests/unit/connector/test_pending: | $(B)/libexec/tetherd/connector
$(B)/tests/unit/authd/test_token: | $(B)/libexec/tetherd/authd
$(B)/tests/unit/tetherd/test_launcher: | $(B)/libexec/tetherd/launcher

unit: $(UNIT)
	@set -e; for t in $(UNIT); do echo "# $$t"; $$t; done

# Node keeps its packages beside the tests; npm ci only when the lock changed.
tests/node_modules/.package-lock.json: tests/package-lock.json | deps-check
	cd tests && npm ci --no-audit --no-fund
	@touch $@

NODE_TEST = TETHERD_BUILD=$(B) node --test --test-concurrency=$(1) $(2)

# The script of a page and the prologue of its service worker: the parts share
# one scope each, in this order.
PAGE_PARTS = natives begin wrap url globals bytes callback request caches \
	notification storage loading elements socket notice arrivals handlers \
	outgoing websocket stream eventsource leave
WORKER_PARTS = natives worker_begin wrap url bytes request caches \
	notification worker

$(B)/proxyd/page.js: $(PAGE_PARTS:%=proxyd/page/%.js) Makefile
	@mkdir -p $(@D)
	@{ echo '(() => {'; echo '"use strict";'; cat $(filter %.js,$^); \
		echo '})();'; } >$@

# proxyd completes it with the configuration: it ends in a function.
$(B)/proxyd/worker.js: $(WORKER_PARTS:%=proxyd/page/%.js) Makefile
	@mkdir -p $(@D)
	@{ echo '(function (config) {'; echo '"use strict";'; \
		cat $(filter %.js,$^); echo '})'; } >$@

page: $(PAGE_SCRIPTS) | deps-check
	$(call NODE_TEST,2,tests/page/*.test.mjs)

# Node has no sockets of that kind.
SEQPACKET = $(B)/tests/seqpacket
$(SEQPACKET): $(B)/tests/integration/lib/seqpacket.o $(B)/libcommon.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_tetherctl)

# Nor of datagrams.
MANAGER = $(B)/tests/manager
$(MANAGER): $(B)/tests/integration/lib/manager.o
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_tetherctl)

# For WebSocket test suites, also others than ours: see its head.
AUTOBAHN = $(B)/tests/autobahn/client
$(AUTOBAHN): $(B)/tests/autobahn/client.o $(B)/libcommon.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_common) $(LIBS_ws)

# The programs again, in a tree of their own, with what somebody would do in
# them who took them over: see tests/takeover/drill.h.
$(B)/libtakeover.a: $(patsubst %.c,$(B)/%.o,$(wildcard tests/takeover/*.c))
	@rm -f $@
	ar rcs $@ $^

WRAPPED = child_configure child_run channel_new sandbox_launcher dialer_dial
TAKEOVER = $(CHILDREN:%=$(B)/takeover/libexec/tetherd/%)

define takeover
$(B)/takeover/libexec/tetherd/$(1): $$(MAIN_$(1)) $(B)/libtakeover.a $(B)/lib$(1).a $(B)/libsandbox.a $(B)/libcommon.a
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) $$(WRAPPED:%=-Wl,--wrap=%) -o $$@ $$^ $$(LIBS_$(1))
endef
$(foreach c,$(CHILDREN),$(eval $(call takeover,$(c))))

integration: all $(SEQPACKET) $(MANAGER) $(AUTOBAHN) $(TAKEOVER) tests/node_modules/.package-lock.json
	$(call NODE_TEST,2,tests/integration/*.test.mjs)

check: unit page integration

e2e: all deps-e2e tests/node_modules/.package-lock.json
	bash tests/e2e/install.sh new old
	$(call NODE_TEST,1,tests/e2e/*.test.mjs)

demo: all deps-demo
	@TETHERD_BUILD=$(B) bash demo/run.sh

# Fuzzing: everything again with clang, a minute for each target.
FUZZ_SECONDS ?= 60
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SOURCES = $(filter-out %/main.c,$(wildcard common/*.c connector/*.c proxyd/*.c)) \
	tetherd/dotenv.c tetherd/url.c

# The files that are parsed are the target's own.
build/fuzz/fuzz_parse: $(B)/tetherd/parse.c tetherd/complaints.c tetherd/lex.c \
	tetherd/macros.c tetherd/nearest.c tetherd/parser.c

build/fuzz/fuzz_membership: authd/finding.c authd/health.c authd/membership.c \
	authd/membership_answer.c authd/policy.c authd/trouble.c

build/fuzz/%: tests/fuzz/%.c $(FUZZ_SOURCES) $(PAGE_SCRIPTS) | deps-fuzz
	@mkdir -p $(@D)
	clang $(CPPFLAGS) -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined \
		-ffunction-sections -Wa,-I$(B) -Wl,--gc-sections \
		-Wl,--as-needed -o $@ \
		$(filter %.c,$^) $(LIBS_connector) $(LIBS_proxyd)

fuzz: $(FUZZERS:%=build/fuzz/%)
	@set -e; for f in $(FUZZERS); do mkdir -p build/fuzz/corpus/$$f; \
		echo "# $$f"; build/fuzz/$$f -max_total_time=$(FUZZ_SECONDS) \
		-timeout=10 -verbosity=0 -print_final_stats=1 build/fuzz/corpus/$$f; done

$(B)/bench_%: $(B)/tests/bench/bench_%.o $(B)/libproxyd.a $(B)/libcommon.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_proxyd)

bench: all deps-bench tests/node_modules/.package-lock.json $(B)/bench_escape \
		$(B)/bench_rewrite
	$(B)/bench_escape
	TETHERD_BUILD=$(B) bash tests/bench/rewrite.sh
	TETHERD_BUILD=$(B) node tests/bench/throughput.mjs
	TETHERD_BUILD=$(B) node tests/bench/memory.mjs

# A few minutes; less of it with SOAK="--requests 10000" and the like.
soak: all tests/node_modules/.package-lock.json
	TETHERD_BUILD=$(B) node tests/bench/soak.mjs $(SOAK)

SOURCES = $(foreach d,$(ROOMS) tests/unit/* tests/fuzz tests/bench tests/integration/lib tests/autobahn tests/takeover,$(wildcard $(d)/*.c $(d)/*.h))

lint: all deps-lint
	clang-format --dry-run -Werror $(SOURCES)
	@set -e; for h in $(wildcard $(ROOMS:%=%/*.h)); do \
		echo "#include \"$$h\"" | $(CC) $(CPPFLAGS) -std=gnu11 \
		-fsyntax-only -x c - || { echo "$$h does not compile alone"; exit 1; }; done
	mandoc -Tlint -Wwarning $(MANUALS)
	TETHERD_BUILD=$(B) node tests/lint/manual.mjs $(MANUALS)
	shellcheck etc/*.sh demo/*.sh tests/e2e/*.sh \
		tests/bench/*.sh .ci/run

# Packages make users and folders by what is in sysusers.d and tmpfiles.d.
install: all
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(BINDIR) \
		$(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(DOCDIR) \
		$(addprefix $(DESTDIR)$(MANDIR)/man,$(SECTIONS)) \
		$(DESTDIR)$(UNITDIR) $(DESTDIR)$(USERUNITDIR) \
		$(DESTDIR)$(LIBDIR)/sysusers.d $(DESTDIR)$(LIBDIR)/tmpfiles.d
	install -m 755 $(B)/sbin/tetherd $(B)/sbin/tetherctl \
		$(DESTDIR)$(SBINDIR)/
	install -m 755 $(B)/bin/tether-hub $(DESTDIR)$(BINDIR)/
	install -m 755 $(CHILDREN:%=$(B)/libexec/tetherd/%) $(DESTDIR)$(LIBEXECDIR)/
	set -e; for m in $(MANUALS); do \
		to=$(DESTDIR)$(MANDIR)/man$${m##*.}/$${m##*/}; \
		install -m 644 $$m $$to; \
		sed -i -e 's,/usr/local/share/doc/tetherd,$(DOCDIR),' \
			-e 's,/usr/local/lib/systemd/system,$(UNITDIR),' \
			-e 's,/usr/local/lib/systemd/user,$(USERUNITDIR),' \
			-e 's,/usr/local/lib/,$(LIBDIR)/,' $$to; done
	install -m 644 etc/tetherd.conf $(DESTDIR)$(DOCDIR)/
	install -m 644 etc/tetherd.service $(DESTDIR)$(UNITDIR)/
	install -m 644 etc/tetherd-user.service \
		$(DESTDIR)$(USERUNITDIR)/tetherd.service
	sed -i 's,@SBINDIR@,$(SBINDIR),' $(DESTDIR)$(UNITDIR)/tetherd.service \
		$(DESTDIR)$(USERUNITDIR)/tetherd.service
	install -m 644 etc/tetherd.sysusers \
		$(DESTDIR)$(LIBDIR)/sysusers.d/tetherd.conf
	install -m 644 etc/tetherd.tmpfiles \
		$(DESTDIR)$(LIBDIR)/tmpfiles.d/tetherd.conf
	$(if $(DESTDIR),,sh etc/users.sh $(LIBDIR))

uninstall:
	rm -f $(DESTDIR)$(SBINDIR)/tetherd $(DESTDIR)$(SBINDIR)/tetherctl \
		$(DESTDIR)$(BINDIR)/tether-hub
	rm -f $(CHILDREN:%=$(DESTDIR)$(LIBEXECDIR)/%)
	rm -f $(foreach s,$(SECTIONS),$(patsubst man/%,$(DESTDIR)$(MANDIR)/man$s/%,$(filter %.$s,$(MANUALS))))
	rm -f $(DESTDIR)$(DOCDIR)/tetherd.conf
	rm -f $(DESTDIR)$(UNITDIR)/tetherd.service \
		$(DESTDIR)$(USERUNITDIR)/tetherd.service \
		$(DESTDIR)$(LIBDIR)/sysusers.d/tetherd.conf \
		$(DESTDIR)$(LIBDIR)/tmpfiles.d/tetherd.conf
	-rmdir $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(DOCDIR)
	@echo "tetherd: left alone: the users _tetherconn and _tetherproxy, the" \
		"group tetherd, /etc/tetherd.conf, and the folders tetherd in" \
		"/etc, /var/lib and /var/log"

deps: deps-check deps-e2e

dist:
	git archive --prefix=tetherd-$(VERSION)/ -o tetherd-$(VERSION).tar.gz HEAD

clean:
	rm -rf build tests/node_modules tetherd-*.tar.gz

.PHONY: all unit page integration check e2e demo fuzz bench soak lint install uninstall \
	deps dist clean $(PURPOSES:%=deps-%)
