#include "demo/writer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "demo/vocabulary.h"

namespace novafeed {
namespace {

// {slots} are filled by DemoWriter::Fill; sentences are capitalised afterwards.
constexpr std::array<std::string_view, 18> kReports{
    "finally {deed} {place}: {outcome}.",
    "{when} I {deed}. {outcome}.",
    "{number} attempts later I {deed} {place}. {outcome}.",
    "{deed} {when}. {outcome}. {closer}",
    "small update on the {thing}: I {deed}, and {outcome}.",
    "so I {deed} {place}. What nobody tells you: {outcome}.",
    "I {deed}, then I {deed}. {outcome}. {closer}",
    "day {number} with the {thing}. I {deed}, and {outcome}.",
    "did not plan to, but I {deed} {place}. {outcome}. {closer}",
    "{when} it was all about the {thing}. {outcome}. {closer}",
    "after {number} weeks of {problem} I {deed}. {outcome}.",
    "a good day: {deed} {place}, and {outcome}. {closer}",
    "I {deed}. That is all I wanted to say.",
    "the plan was something else. I {deed}, {outcome}, and now it is late.",
    "people ask how the {thing} is going. Well: {outcome}.",
    "{when}, in one line: I {deed}, and {outcome}.",
    "{place}, {when}: {outcome}. {closer}",
    "a year ago I {deed} for the first time. {when} I did it again, and {outcome}."};

constexpr std::array<std::string_view, 13> kQuestions{
    "does anybody else get {problem} with the {thing}? {closer}",
    "how do you deal with {problem}? I already {deed}, no luck.",
    "question about the {thing}: should I expect {problem} {place}?",
    "{number} days of {problem} now. I {deed} and it only got worse. Ideas?",
    "{problem} again {place}. People tell me to {advice}. True?",
    "what would you do first against {problem}: {advice}, or {advice}?",
    "beginner question: how often do you have to think about {problem}?",
    "who here knows the {thing} well? I have {problem} and {number} days left.",
    "is it just me, or did {problem} get worse since I {deed}?",
    "does the {thing} ever stop giving you {problem}?",
    "honest question: is {problem} a reason to give up?",
    "{when} I {deed}, and since then: {problem}. Coincidence?",
    "which comes first, the {thing} or a cure for {problem}?"};

constexpr std::array<std::string_view, 12> kAdvices{"what helped me with the {thing}: {advice}. {closer}",
                                                    "if you fight {problem}: {advice}. And {advice}.",
                                                    "{number} years in, and the best tip is still this: {advice}.",
                                                    "wish somebody had told me before I {deed}: {advice}.",
                                                    "against {problem}, {place}: {advice}. Learned it when {outcome}.",
                                                    "two rules for the {thing}. One: {advice}. Two: {advice}.",
                                                    "please, {advice}. I {deed} without it, and {outcome}.",
                                                    "an old hand told me {when}: {advice}. I laughed. Then {outcome}.",
                                                    "note to self, {place}: {advice}.",
                                                    "nobody asked, but: {advice}.",
                                                    "{problem}? {advice}. Works most of the time.",
                                                    "the {thing} taught me one thing: {advice}. {closer}"};

constexpr std::array<std::string_view, 10> kPlans{
    "plan for {day}: the {thing}, {place}. Who is in? {closer}",
    "{day} I want to try the {thing} {place}. Any last advice against {problem}?",
    "next up: the {thing}. I {deed} {when}, so I feel brave.",
    "looking for {number} people for the {thing} on {day}. We meet {place}.",
    "I promised myself: no new projects. So, about the {thing}. {closer}",
    "{day}, {place}, the {thing}. Bring tea and patience. {closer}",
    "thinking of giving up on the {thing} because of {problem}. Talk me out of it.",
    "this is the week of the {thing}. {closer}",
    "if it stays dry on {day}: the {thing}, {place}.",
    "{number} days until the {thing}. I already {deed}, so what could go wrong?"};

// {same_thing} and {same_problem} are those of the post; such an answer is given where the post names one.
constexpr std::array<std::string_view, 11> kReplyToReport{"this made my day. How did the {same_thing} hold up?",
                                                          "{cheer} I {deed} once and never dared again.",
                                                          "{cheer} More pictures, please.",
                                                          "{cheer} I {deed}, and {outcome}.",
                                                          "and {problem} did not come into it? Lucky.",
                                                          "you make it sound easy. My {thing} would like a word.",
                                                          "{cheer} Are you there on {day} as well?",
                                                          "one more thing for the next time: {advice}.",
                                                          "so {same_problem} can be beaten. Good to know.",
                                                          "I read this twice. {cheer}",
                                                          "how long did the {same_thing} take you?"};

constexpr std::array<std::string_view, 9> kReplyToQuestion{
    "had {same_problem} for {number} weeks. What helped: {advice}.",
    "{advice}, and if that fails, {advice}.",
    "is it worse {place}? Then it is not the {same_thing}.",
    "same question here, following.",
    "first of all: {advice}. Then wait {number} days.",
    "{same_problem}? It goes away by itself. Mine did after I {deed}.",
    "send a picture, it is hard to tell from here.",
    "ask anybody {place}, they have all had it.",
    "no idea, but with {problem} the answer was: {advice}."};

constexpr std::array<std::string_view, 8> kReplyToAdvice{"saved. Thank you!",
                                                         "it took me {number} years to learn the same.",
                                                         "half agree: {advice}, that works better {place}.",
                                                         "tried it {when}. {outcome}!",
                                                         "does that hold for {problem} too?",
                                                         "{cheer} I will try that with the {same_thing}.",
                                                         "this should hang on a wall somewhere.",
                                                         "I did the opposite for {number} years."};

constexpr std::array<std::string_view, 8> kReplyToPlan{"count me in for {day}.",
                                                       "I am away on {day}, take notes for me.",
                                                       "{cheer} Watch out for {problem}.",
                                                       "bring {number} more people and I come too.",
                                                       "do it. I {deed} {place}, and {outcome}.",
                                                       "the {same_thing}? Respect. And {advice}.",
                                                       "before you start: {advice}.",
                                                       "I have waited for somebody to say this."};

// To what somebody else wrote.
constexpr std::array<std::string_view, 8> kReplyToAnybody{"{cheer} Tell us more.",
                                                          "{cheer}",
                                                          "welcome! Good to read you here.",
                                                          "I had not seen it that way.",
                                                          "more of this, please.",
                                                          "same here. 🙂",
                                                          "what happened next?",
                                                          "following this one."};

constexpr std::array<std::string_view, 12> kClosers{
    "Pictures tomorrow.",   "Worth every minute.", "Ask me again in a week.",
    "No regrets.",          "Small steps.",        "Tell me I am not alone.",
    "Tea first.",           "I will report back.", "Somebody stop me. 😅",
    "Same time next week?", "What a week. ✨",     "Happy about it. 🙂"};

constexpr std::array<std::string_view, 8> kCheers{"Lovely!",   "Well done!", "Oh, wonderful.", "Ha, yes.",
                                                  "Bravo! 👏", "Beautiful.", "So good.",       "Respect!"};

constexpr std::array<std::string_view, 9> kWhens{"yesterday",    "this morning",     "last night",
                                                 "on Saturday",  "after work",       "on my day off",
                                                 "before lunch", "over the weekend", "the other day"};

constexpr std::array<std::string_view, 7> kDays{"Friday", "Saturday", "Sunday",  "Wednesday",
                                                "Monday", "Tuesday",  "Thursday"};

constexpr std::array<std::string_view, 10> kNumbers{"two",   "three", "four", "five",   "six",
                                                    "seven", "eight", "nine", "eleven", "twelve"};

struct Patterns {
  PostKind kind;
  std::size_t share;  // of all posts, in percent
  Words posts;
  Words replies;
};

constexpr std::array<Patterns, 4> kPatterns{{{PostKind::kReport, 50, kReports, kReplyToReport},
                                             {PostKind::kQuestion, 22, kQuestions, kReplyToQuestion},
                                             {PostKind::kAdvice, 16, kAdvices, kReplyToAdvice},
                                             {PostKind::kPlan, 12, kPlans, kReplyToPlan}}};

const Patterns& DrawPatterns(DemoRandom* random) {
  std::size_t draw = random->Below(100);
  auto chosen = kPatterns.begin();
  for (; draw >= chosen->share; ++chosen) draw -= chosen->share;
  return *chosen;
}

Words WordsFor(std::string_view slot, const Topic& topic) {
  const std::array<std::pair<std::string_view, Words>, 11> slots{{{"thing", topic.things},
                                                                  {"deed", topic.deeds},
                                                                  {"outcome", topic.outcomes},
                                                                  {"problem", topic.problems},
                                                                  {"advice", topic.advice},
                                                                  {"place", topic.places},
                                                                  {"closer", kClosers},
                                                                  {"cheer", kCheers},
                                                                  {"when", kWhens},
                                                                  {"day", kDays},
                                                                  {"number", kNumbers}}};
  return std::ranges::find(slots, slot, &std::pair<std::string_view, Words>::first)->second;
}

void CapitaliseSentences(std::string* text) {
  bool starts = true;
  for (char& letter : *text) {
    if (starts && letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
    if (letter != ' ') starts = letter == '.' || letter == '?' || letter == '!';
  }
}

// A pattern's words up to its first slot, the slot's name, and what follows; no slot at its end.
struct PatternParts {
  std::string_view words;
  std::string_view slot;
  std::string_view rest;
};

PatternParts Split(std::string_view pattern) {
  const std::size_t open = pattern.find('{');
  if (open == pattern.npos) return {pattern, {}, {}};
  const std::size_t close = pattern.find('}', open);
  return {pattern.substr(0, open), pattern.substr(open + 1, close - open - 1), pattern.substr(close + 1)};
}

bool SameLetter(char a, char b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return lower(a) == lower(b);
}

// Takes `words` from the beginning of the text, capitals or not.
bool TakeWords(std::string_view* text, std::string_view words) {
  if (text->size() < words.size() || !std::equal(words.begin(), words.end(), text->begin(), SameLetter)) return false;
  text->remove_prefix(words.size());
  return true;
}

// Whether the text is the pattern with each slot filled; notes in the gist what it is filled with.
bool Matches(std::string_view pattern, std::string_view text, PostGist* gist) {
  const PatternParts parts = Split(pattern);
  if (!TakeWords(&text, parts.words)) return false;
  if (parts.slot.empty()) return text.empty();
  for (const std::string_view word : WordsFor(parts.slot, Topics()[gist->topic])) {
    std::string_view rest = text;
    if (!TakeWords(&rest, word) || !Matches(parts.rest, rest, gist)) continue;
    if (parts.slot == "thing") gist->thing = word;
    if (parts.slot == "problem") gist->problem = word;
    return true;
  }
  return false;
}

// Whether what the answer refers to is there.
bool Fits(std::string_view answer, const PostGist& gist) {
  return (!gist.thing.empty() || answer.find("{same_thing}") == answer.npos) &&
         (!gist.problem.empty() || answer.find("{same_problem}") == answer.npos);
}

}  // namespace

std::optional<PostGist> ReadPost(std::string_view text) {
  PostGist gist;
  for (gist.topic = 0; gist.topic < Topics().size(); ++gist.topic) {
    for (const Patterns& patterns : kPatterns) {
      gist.kind = patterns.kind;
      for (const std::string_view pattern : patterns.posts) {
        if (Matches(pattern, text, &gist)) return gist;
      }
    }
  }
  return std::nullopt;
}

std::string DemoWriter::WritePost(std::size_t topic) {
  if (written_.size() >= kRemembered) written_.clear();
  std::string post = Draft(topic);
  while (!written_.insert(post).second) post = Draft(topic);
  return post;
}

std::string DemoWriter::WriteComment(std::string_view post) {
  const std::optional<PostGist> gist = ReadPost(post);
  if (!gist) return Fill(random_->Pick(Words(kReplyToAnybody)), PostGist(), {});
  const Words replies = kPatterns[static_cast<std::size_t>(gist->kind)].replies;
  std::string_view reply = random_->Pick(replies);
  while (!Fits(reply, *gist)) reply = random_->Pick(replies);
  return Fill(reply, *gist, post);
}

std::string DemoWriter::Draft(std::size_t topic) {
  PostGist gist;
  gist.topic = topic;
  return Fill(random_->Pick(DrawPatterns(random_).posts), gist, {});
}

std::string DemoWriter::Fill(std::string_view pattern, const PostGist& gist, std::string_view answered) {
  std::string text;
  while (!pattern.empty()) {
    const PatternParts parts = Split(pattern);
    text += parts.words;
    if (parts.slot == "same_thing") {
      text += gist.thing;
    } else if (parts.slot == "same_problem") {
      text += gist.problem;
    } else if (!parts.slot.empty()) {
      text += DrawUnused(WordsFor(parts.slot, Topics()[gist.topic]), text, answered);
    }
    pattern = parts.rest;
  }
  CapitaliseSentences(&text);
  return text;
}

std::string_view DemoWriter::DrawUnused(std::span<const std::string_view> words, std::string_view text,
                                        std::string_view answered) {
  std::string_view word = random_->Pick(words);
  while (text.find(word) != text.npos || answered.find(word) != answered.npos) word = random_->Pick(words);
  return word;
}

}  // namespace novafeed
