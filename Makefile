WORDS = help run test check setup build asan tsan fuzz bench format install doctor clean
.PHONY: $(WORDS)
$(WORDS): ; @./dev $@
