# The manifests by which browsers find the host, and where each looks (README.md says what of this
# has been seen to work).
set(UKEY_HOST_NAME cn.ukey.agent)
set(browsers
  # browser, kind of manifest, folder
  "chromium|chromium|/etc/chromium/native-messaging-hosts"
  "chrome|chromium|/etc/opt/chrome/native-messaging-hosts"
  "edge|chromium|/etc/opt/edge/native-messaging-hosts"
  "uos|chromium|/etc/browser/native-messaging-hosts"
  "firefox|mozilla|/usr/lib/mozilla/native-messaging-hosts")

set(chromium_ids ${UKEY_EXTENSION_IDS})
list(FILTER chromium_ids INCLUDE REGEX "^[a-p]+$")
list(TRANSFORM chromium_ids REPLACE "(.+)" "\"chrome-extension://\\1/\"")
list(JOIN chromium_ids ", " chromium_ids)
set(mozilla_ids ${UKEY_EXTENSION_IDS})
list(FILTER mozilla_ids INCLUDE REGEX "[@{]")
list(TRANSFORM mozilla_ids REPLACE "(.+)" "\"\\1\"")
list(JOIN mozilla_ids ", " mozilla_ids)

# "installed" goes into the system; "built" is for tests and development.
set(host_installed ${UKEY_LIBEXECDIR}/ukey-native)
set(host_built ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/ukey-native)
foreach(place installed built)
  set(host ${host_${place}})
  foreach(kind chromium mozilla)
    configure_file(${kind}.json.in ${place}/${kind}/${UKEY_HOST_NAME}.json @ONLY)
  endforeach()
endforeach()

foreach(row ${browsers})
  string(REPLACE "|" ";" row ${row})
  list(GET row 1 kind)
  list(GET row 2 folder)
  # Absolute: browsers look there whatever our prefix is.  DESTDIR goes before it.
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/installed/${kind}/${UKEY_HOST_NAME}.json
    DESTINATION ${folder})
endforeach()
