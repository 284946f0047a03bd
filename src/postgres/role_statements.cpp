// SPDX-License-Identifier: Apache-2.0
// Statements for roles.
#include "postgres/role_statements.h"

#include "sql/quoting.h"

namespace tanist::postgres {

const std::string_view silence_session =
    "SET synchronous_commit = local; SET log_statement = 'none'; SET log_duration = off;"
    " SET log_min_duration_statement = -1; SET log_min_error_statement = 'panic';"
    " SET pg_stat_statements.track_utility = off; SET pgaudit.log = 'none'";

Secret role_statement(bool exists, const std::string& name, std::string_view attributes,
                      const Secret& hashed_password) {
  std::string text = exists ? "ALTER ROLE " : "CREATE ROLE ";
  text += sql::quote_identifier(name) + " WITH LOGIN";
  if (!attributes.empty()) text.append(" ").append(attributes);
  if (!hashed_password.empty()) {
    text += " PASSWORD " + sql::quote_literal(hashed_password.reveal());
  }
  return Secret(std::move(text));
}

std::vector<std::string> rewind_grants(const std::string& role) {
  std::vector<std::string> statements;
  for (const std::string function :
       {"pg_ls_dir(text, boolean, boolean)", "pg_stat_file(text, boolean)",
        "pg_read_binary_file(text)", "pg_read_binary_file(text, bigint, bigint, boolean)"}) {
    statements.push_back("GRANT EXECUTE ON FUNCTION pg_catalog." + function + " TO " +
                         sql::quote_identifier(role));
  }
  return statements;
}

bool is_hashed(const Secret& password) {
  constexpr std::size_t md5_length = 35;
  const auto& text = password.reveal();
  const bool md5 = text.size() == md5_length && text.starts_with("md5") &&
                   text.find_first_not_of("0123456789abcdef", 3) == std::string::npos;
  return md5 || text.starts_with("SCRAM-SHA-256$");
}

}  // namespace tanist::postgres
