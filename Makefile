WORDS = help run test check setup build asan tsan fuzz soak torture bench openapi format install doctor clean
.PHONY: $(WORDS)
$(WORDS): ; @./dev $@
