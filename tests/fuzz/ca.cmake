fuzz_target(ticket USES uk)
fuzz_target(request USES ca)
fuzz_target(ocsp USES ca)
