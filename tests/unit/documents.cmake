find_package(ZLIB REQUIRED)

uk_unit_test(documents USES documents documents_decode
  LIBS PkgConfig::TURBOJPEG PkgConfig::SPNG ZLIB::ZLIB)
target_compile_definitions(unit-documents PRIVATE
  UKEY_PHOTO="$<TARGET_FILE:ukey-photo>" ESCAPE="$<TARGET_FILE:documents-escape>")

# Enters the sandbox of ukey-photo and then does what it must not.
add_executable(documents-escape documents_escape.c)
target_link_libraries(documents-escape PRIVATE documents_sandbox uk_flags)
add_dependencies(unit-documents ukey-photo documents-escape)

uk_unit_test(paper USES documents)
