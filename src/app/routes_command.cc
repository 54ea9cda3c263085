#include "app/routes_command.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/rest/routes.h"
#include "app/exit_code.h"
#include "base/json_writer.h"

namespace tallyman {
namespace {

// As the documentation writes it.
std::string path_of(const rest::Route& route) {
  std::string path(route.pattern);
  return path.ends_with(".csv") ? path : path + "/";
}

std::string as_json() {
  std::string text;
  JsonWriter json(text);
  json.begin_array();
  for (const rest::Route& route : rest::routes()) {
    json.begin_object().key("method").text(route.method);
    json.key("path").text(path_of(route)).key("needs").text(rest::name(route.access));
    json.end_object();
  }
  json.end_array();
  return text + '\n';
}

std::string as_table() {
  std::size_t width = 0;
  for (const rest::Route& route : rest::routes())
    width = std::max(width, path_of(route).size());
  std::string text = fmt::format("{:<6}  {:<{}}  {}\n", "METHOD", "PATH", width, "NEEDS");
  for (const rest::Route& route : rest::routes()) {
    text += fmt::format("{:<6}  {:<{}}  {}\n", route.method, path_of(route), width,
                        rest::name(route.access));
  }
  return text;
}

}  // namespace

int run_routes(const RoutesCommand& command, Console& console) {
  console.out << (command.json ? as_json() : as_table()) << std::flush;
  return kExitWell;
}

}  // namespace tallyman
