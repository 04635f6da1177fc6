fuzz_target(native_stamp USES native uk)
