// novafeed: one binary, one subcommand for each job. Here the command line is read; the jobs are in commands.h.
#include <CLI/CLI.hpp>
#include <exception>
#include <functional>
#include <iostream>
#include <string>

#include "app/commands.h"

namespace novafeed {
namespace {

// What the chosen subcommand does; set by the flags' definitions below.
using Job = std::function<Result<int>()>;

constexpr const char* kSettingsFooter =
    "Every setting of docs/configuration.md can be given as --set NAME=VALUE, in the environment, or in --config FILE.";

// For instants; without it the parser says no more than that it could not convert them.
std::string CheckMilliseconds(const std::string& text) {
  if (!text.empty() && text.find_first_not_of("0123456789") == text.npos) return "";
  return "takes milliseconds since 1970, such as 1767225600000 (date -d 2026-01-01 +%s000), not \"" + text + "\"";
}

void NameSetting(CLI::App* command, const std::string& flag, const std::string& setting, const std::string& help,
                 SettingFlags* flags) {
  command->add_option_function<std::string>(
      flag, [flags, setting](const std::string& text) { flags->overrides[setting] = text; }, help);
}

void AddSettingFlags(CLI::App* command, SettingFlags* flags) {
  command->footer(kSettingsFooter);
  NameSetting(command, "--data", "data.directory", "The data directory (default ./data)", flags);
  command->add_option("--config", flags->config_file, "A TOML file with settings");
  command->add_option_function<std::vector<std::string>>(
      "--set",
      [flags](const std::vector<std::string>& pairs) {
        for (const std::string& pair : pairs) {
          const std::size_t equals = pair.find('=');
          if (equals == std::string::npos)
            throw CLI::ValidationError("--set", "write NAME=VALUE, not \"" + pair + "\"");
          flags->overrides[pair.substr(0, equals)] = pair.substr(equals + 1);
        }
      },
      "A setting, as NAME=VALUE; may be repeated");
}

void AddServe(CLI::App* app, ServeFlags* flags, Job* job) {
  CLI::App* command = app->add_subcommand("serve", "Serve a data directory: API, web page, administration");
  AddSettingFlags(command, &flags->settings);
  NameSetting(command, "--listen", "serve.listen", "Address and port of the API (default 127.0.0.1:8080)",
              &flags->settings);
  NameSetting(command, "--admin-listen", "serve.admin_listen", "Address and port of metrics and administration",
              &flags->settings);
  command->add_flag("--demo", flags->demo,
                    "Fill an empty directory with a demo network in which anybody may act as any user (loopback only)");
  command->add_flag("--live", flags->live, "With --demo: its people go on posting, liking and following (demo.rate)");
  command
      ->add_option("--test-clock", flags->test_clock,
                   "Hold the clock at these milliseconds since 1970; POST /admin/clock moves it (loopback only)")
      ->check(CheckMilliseconds);
  command->add_flag("--print-config", flags->print_config, "Print the settings in use and where each is from, and end");
  command->callback([flags, job] { *job = [flags] { return RunServe(*flags); }; });
}

void AddImport(CLI::App* app, ImportFlags* flags, Job* job) {
  CLI::App* command =
      app->add_subcommand("import", "Import actions, one JSON object a line (.gz and .zst are unpacked)");
  AddSettingFlags(command, &flags->settings);
  command->add_option("FILE", flags->files, "Files to import in this order; - is standard input")->required();
  command->add_flag("--shift-to-now", flags->shift_to_now, "Move all times so that the latest action happens now");
  command->add_flag("--dry-run", flags->dry_run, "Check everything, write nothing");
  command->add_option("--bad", flags->bad_file,
                      "Write the lines that this command rejects, with number and reason, to this file");
  CLI::Option* url =
      command->add_option("--url", flags->url, "Import into a running server: its address, as http://127.0.0.1:8080");
  command->add_option("--token", flags->token, "With --url: a token of admin scope")->envname("NOVAFEED_TOKEN");
  command->get_option("--data")->excludes(url);
  command->callback([flags, job] { *job = [flags] { return RunImport(*flags); }; });
}

void AddToken(CLI::App* app, TokenFlags* flags, Job* job) {
  CLI::App* command = app->add_subcommand(
      "token", "Print a bearer token for a user, and nothing else; it is taken for 60 s beyond its time (leeway)");
  AddSettingFlags(command, &flags->settings);
  command->add_option("--user", flags->user, "The user's id: a UUID, or ext:<your own id>")->required();
  command->add_option("--scope", flags->scope, "user, service or admin (default user)");
  command->add_option("--ttl", flags->ttl, "How long it is good for: 1s to 30d (default 24h)");
  command->callback([flags, job] { *job = [flags] { return RunToken(*flags); }; });
}

void AddRank(CLI::App* app, RankFlags* flags, Job* job) {
  CLI::App* command = app->add_subcommand("rank", "Print whole rankings with sources, scores and counters as JSON");
  AddSettingFlags(command, &flags->settings);
  command->add_option("--user", flags->users, "A viewer's id; may be repeated");
  command->add_option("--users", flags->users_file, "A file of viewers' ids, one a line");
  command->add_option("--as-of", flags->as_of, "The instant, in milliseconds since 1970 (default: now)")
      ->check(CheckMilliseconds);
  command->add_option("--trending-as-of", flags->trending_as_of, "The instant of the trending list (default: as-of)")
      ->check(CheckMilliseconds);
  command->add_option("--engine", flags->engine, "index or warehouse (default index)");
  command->callback([flags, job] { *job = [flags] { return RunRank(*flags); }; });
}

void AddOlap(CLI::App* app, OlapFlags* flags, Job* job) {
  CLI::App* command =
      app->add_subcommand("olap", "Serve the ClickHouse engine of a data directory over ClickHouse's HTTP interface");
  AddSettingFlags(command, &flags->settings);
  command->add_option("--listen", flags->listen, "Address and port, of this machine only (default: a free port)");
  command->callback([flags, job] { *job = [flags] { return RunOlap(*flags); }; });
}

void AddSql(CLI::App* app, SqlFlags* flags, Job* job) {
  CLI::App* command =
      app->add_subcommand("sql", "Ask the ClickHouse engine of a data directory; prints TSV with names");
  AddSettingFlags(command, &flags->settings);
  command->add_option("STATEMENT", flags->statement, "A statement that only reads, as SELECT ...");
  command->add_option("--file", flags->file, "A file that holds the statement");
  command->add_option("--param", flags->params, "NAME=VALUE for {NAME:Type} of the statement; may be repeated");
  command->callback([flags, job] { *job = [flags] { return RunSql(*flags); }; });
}

void AddCheck(CLI::App* app, CheckFlags* flags, Job* job) {
  CLI::App* command = app->add_subcommand(
      "check", "Compare tables, log, warehouse and index; exit status 0 where they agree, 1 where they differ");
  AddSettingFlags(command, &flags->settings);
  command->add_flag("--json", flags->json, "Print one JSON object a check");
  command->add_flag("--watch", flags->watch, "Check again and again beside a running serve (check.watch_every)");
  command->add_flag("--repair", flags->repair, "Mend what differs, and check again");
  command->callback([flags, job] { *job = [flags] { return RunCheck(*flags); }; });
}

void AddDlq(CLI::App* app, DlqListFlags* list, DlqReplayFlags* replay, Job* job) {
  CLI::App* dlq = app->add_subcommand("dlq", "In a cluster: messages of the log that could not be read (events.dlq)");
  dlq->callback([job] {
    if (*job) return;
    *job = []() -> Result<int> {
      return Fail(Failure::kInvalid, "no_subcommand", "Name a subcommand: list or replay (see novafeed dlq --help).");
    };
  });
  CLI::App* list_command = dlq->add_subcommand(
      "list", "Print each once, as JSON: topic, partition, offset, reason, time, key, message, bytes, replayed");
  AddSettingFlags(list_command, &list->settings);
  list_command->add_option("--topic", list->topic, "Of this topic only");
  list_command->callback([list, job] { *job = [list] { return RunDlqList(*list); }; });

  CLI::App* replay_command = dlq->add_subcommand(
      "replay",
      "Put events that can be read by now, or are mended in a file, back on their topic, where each counts once. "
      "Changes (cdc.*) are never put back: the row in PostgreSQL is what holds, and `check --repair` or "
      "./cluster resnapshot brings it");
  AddSettingFlags(replay_command, &replay->settings);
  replay_command->add_option("--topic", replay->topic, "Of this topic only: events");
  replay_command->add_option("--partition", replay->partition, "Of this partition only");
  replay_command->add_option("--offset", replay->offsets, "This offset only, or FIRST..LAST");
  replay_command->add_option("--mended", replay->mended_file,
                             "Only those of this file, with its messages: lines of `dlq list`, mended; - is standard "
                             "input");
  replay_command->callback([replay, job] { *job = [replay] { return RunDlqReplay(*replay); }; });
}

void AddDemo(CLI::App* app, DemoFlags* flags, Job* job) {
  CLI::App* command = app->add_subcommand(
      "demo", "Make a demo network: in a stopped data directory, in a running server, or as lines; or keep it alive");
  AddSettingFlags(command, &flags->settings);
  CLI::Option* url = command->add_option("--url", flags->url, "Send it to a running server, or with --live act there");
  command
      ->add_option("--token", flags->token,
                   "With --url: a token of admin scope; with --live of service scope, or none where it is a demo")
      ->envname("NOVAFEED_TOKEN");
  CLI::Option* out = command->add_option("--out", flags->out, "Write it to this file as NDJSON; - is standard output");
  command->add_option("--seed", flags->seed, "Other seeds make other people and posts (default 1)");
  command->add_option("--users", flags->users, "How many people, 10 to 1500 (default 200); posts in proportion");
  command
      ->add_option("--as-of", flags->as_of, "The instant at which it ends, in milliseconds since 1970 (default: now)")
      ->check(CheckMilliseconds);
  CLI::Option* live = command->add_flag("--live", flags->live, "Keep the network alive: people go on doing things");
  NameSetting(command, "--rate", "demo.rate", "With --live: things done a second, as the mean of a day (default 3)",
              &flags->settings);
  command->get_option("--data")->excludes(url)->excludes(out);
  out->excludes(url)->excludes(live);
  command->callback([flags, job] { *job = [flags] { return RunDemo(*flags); }; });
}

// "novafeed dlq list": as far as the command line was understood.
std::string Understood(const CLI::App* command) {
  std::string words = command->get_name();
  for (const CLI::App* deeper : command->get_subcommands()) words += " " + Understood(deeper);
  return words;
}

std::string Unexpected(const CLI::App& app) {
  std::string words;
  for (const std::string& word : app.remaining(true)) words += (words.empty() ? "" : " ") + word;
  return "Not expected: " + words;
}

int Complain(const std::string& sentence, int status) {
  std::cerr << "novafeed: " << sentence << "\n";
  return status;
}

int RunJob(const Job& job) {
  try {
    const Result<int> status = job();
    if (status) return *status;
    return Complain(status.error().detail, status.error().failure == Failure::kInvalid ? kExitUsage : kExitFailed);
  } catch (const std::exception& error) {
    return Complain(error.what(), kExitFailed);
  }
}

int Main(int argc, char** argv) {
  CLI::App app("A social-graph and personalised-feed backend.", "novafeed");
  app.set_version_flag("--version", NOVAFEED_VERSION);
  app.require_subcommand(0, 1);  // none at all is told below: an unknown one is told better by its name
  Job job;
  ServeFlags serve;
  serve.program = argv[0];
  ImportFlags import;
  TokenFlags token;
  RankFlags rank;
  OlapFlags olap;
  SqlFlags sql;
  CheckFlags check;
  DlqListFlags dlq_list;
  DlqReplayFlags dlq_replay;
  DemoFlags demo;
  AddServe(&app, &serve, &job);
  AddImport(&app, &import, &job);
  AddToken(&app, &token, &job);
  AddRank(&app, &rank, &job);
  AddOlap(&app, &olap, &job);
  AddSql(&app, &sql, &job);
  AddCheck(&app, &check, &job);
  AddDlq(&app, &dlq_list, &dlq_replay, &job);
  AddDemo(&app, &demo, &job);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked_for_text) {  // --help, --version
    return app.exit(asked_for_text);
  } catch (const CLI::ExtrasError&) {  // whose own text has the words in reverse
    return Complain(Unexpected(app) + " (see " + Understood(&app) + " --help)", kExitUsage);
  } catch (const CLI::ParseError& error) {
    return Complain(std::string(error.what()) + " (see " + Understood(&app) + " --help)", kExitUsage);
  }
  if (!job)
    return Complain(
        "Name a subcommand: serve, import, token, rank, olap, sql, check, dlq or demo (see novafeed --help)",
        kExitUsage);
  return RunJob(job);
}

}  // namespace
}  // namespace novafeed

int main(int argc, char** argv) {
  return novafeed::Main(argc, argv);
}
