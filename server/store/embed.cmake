# cmake -DOUT=steps.c -P embed.cmake FILE...: the schema files as C arrays, in order of their
# numbers, and the table of them.
set(arrays "")
set(rows "")
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE 4 ${last})
  set(file ${CMAKE_ARGV${i}})
  get_filename_component(name ${file} NAME_WE)
  if(NOT name MATCHES "^0*([1-9][0-9]*)_[a-z_]+$")
    message(FATAL_ERROR "${file}: a schema file is called NNNN_what.sql")
  endif()
  set(version ${CMAKE_MATCH_1})
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(APPEND arrays "static const unsigned char step_${version}[] = {${bytes}0};\n")
  string(APPEND rows "\t{ ${version}, \"${name}\", (const char *)step_${version} },\n")
endforeach()
file(WRITE ${OUT} "#include \"store/migrate.h\"\n\n${arrays}
const struct migrate_step migrate_steps[] = {\n${rows}};
const int migrate_steps_n = (int)(sizeof(migrate_steps) / sizeof(migrate_steps[0]));\n")
