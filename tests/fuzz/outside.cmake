fuzz_target(alipay-answer USES pay uk)
fuzz_target(alipay-notice USES pay uk)
fuzz_target(records USES pay uk)
