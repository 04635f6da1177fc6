fuzz_target(form USES net)
fuzz_target(cookie USES http)
fuzz_target(path USES http)
fuzz_target(exif USES documents_decode)
