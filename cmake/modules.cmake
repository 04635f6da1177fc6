# A folder is a target that sees the headers of the targets it names and of no others: each
# module's headers are reachable as "<folder>/<header>.h" only through that module's own link
# under inc/, so an include against the arrows of the design does not compile.
#
#   uk_module(NAME SOURCES a.c b.c USES other_module ... LIBS PkgConfig::X ...)
#
# NAME is also the include prefix.  Each header is compiled alone as part of the build.
function(uk_module NAME)
  cmake_parse_arguments(M "" "" "SOURCES;USES;LIBS" ${ARGN})
  set(inc ${CMAKE_BINARY_DIR}/inc/${NAME})
  file(MAKE_DIRECTORY ${inc})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${inc}/${NAME} SYMBOLIC)

  add_library(${NAME} STATIC ${M_SOURCES})
  target_include_directories(${NAME} PUBLIC ${inc})
  target_link_libraries(${NAME} PUBLIC ${M_USES} PRIVATE uk_flags ${M_LIBS})

  file(GLOB headers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.h)
  uk_headers_alone(${NAME} ${NAME} ${headers})
endfunction()

function(uk_headers_alone TARGET PREFIX)
  set(units)
  foreach(h ${ARGN})
    get_filename_component(n ${h} NAME)
    set(unit ${CMAKE_BINARY_DIR}/alone/${TARGET}/${n}.c)
    file(CONFIGURE OUTPUT ${unit} CONTENT "#include \"${PREFIX}/${n}\"\n" @ONLY)
    list(APPEND units ${unit})
  endforeach()
  if(units)
    add_library(${TARGET}_headers OBJECT ${units})
    target_link_libraries(${TARGET}_headers PRIVATE ${TARGET} uk_flags)
  endif()
endfunction()

# uk_program(NAME SOURCES main.c USES modules LIBS libs)
function(uk_program NAME)
  cmake_parse_arguments(M "" "" "SOURCES;USES;LIBS" ${ARGN})
  add_executable(${NAME} ${M_SOURCES})
  target_link_libraries(${NAME} PRIVATE ${M_USES} uk_flags ${M_LIBS})
endfunction()
