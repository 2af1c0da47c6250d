#include "demo/writer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "demo/vocabulary.h"

namespace novafeed {
namespace {

// {slots} are filled by DemoWriter::Slot; sentences are capitalised afterwards.
constexpr std::array<std::string_view, 12> kReports{"finally {deed} {place}: {outcome}.",
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
                                                    "a good day: {deed} {place}, and {outcome}. {closer}"};

constexpr std::array<std::string_view, 9> kQuestions{
    "does anybody else get {problem} with the {thing}? {closer}",
    "how do you deal with {problem}? I already {deed}, no luck.",
    "question about the {thing}: should I expect {problem} {place}?",
    "{number} days of {problem} now. I {deed} and it only got worse. Ideas?",
    "{problem} again {place}. People tell me to {advice}. True?",
    "what would you do first against {problem}: {advice}, or {advice}?",
    "beginner question: how often do you have to think about {problem}?",
    "who here knows the {thing} well? I have {problem} and {number} days left.",
    "is it just me, or did {problem} get worse since I {deed}?"};

constexpr std::array<std::string_view, 8> kAdvices{"what helped me with the {thing}: {advice}. {closer}",
                                                   "if you fight {problem}: {advice}. And {advice}.",
                                                   "{number} years in, and the best tip is still this: {advice}.",
                                                   "wish somebody had told me before I {deed}: {advice}.",
                                                   "against {problem}, {place}: {advice}. Learned it when {outcome}.",
                                                   "two rules for the {thing}. One: {advice}. Two: {advice}.",
                                                   "please, {advice}. I {deed} without it, and {outcome}.",
                                                   "an old hand told me {when}: {advice}. I laughed. Then {outcome}."};

constexpr std::array<std::string_view, 7> kPlans{
    "plan for {day}: the {thing}, {place}. Who is in? {closer}",
    "{day} I want to try the {thing} {place}. Any last advice against {problem}?",
    "next up: the {thing}. I {deed} {when}, so I feel brave.",
    "looking for {number} people for the {thing} on {day}. We meet {place}.",
    "I promised myself: no new projects. So, about the {thing}. {closer}",
    "{day}, {place}, the {thing}. Bring tea and patience. {closer}",
    "thinking of giving up on the {thing} because of {problem}. Talk me out of it."};

constexpr std::array<std::string_view, 8> kReplyToReport{"this made my day. How did the {thing} hold up?",
                                                         "{cheer} I {deed} once and never dared again.",
                                                         "{cheer} More pictures, please.",
                                                         "can confirm, same here: {outcome}.",
                                                         "and no {problem}? Lucky.",
                                                         "you make it sound easy. My {thing} would like a word.",
                                                         "{cheer} Are you there on {day} as well?",
                                                         "next time {advice}, it gets even better."};

constexpr std::array<std::string_view, 7> kReplyToQuestion{"had {problem} for {number} weeks. What helped: {advice}.",
                                                           "{advice}, and if that fails, {advice}.",
                                                           "is it worse {place}? Then it is not the {thing}.",
                                                           "same question here, following.",
                                                           "I would {advice} and wait {number} days.",
                                                           "it goes away by itself. Mine did after I {deed}.",
                                                           "send a picture, it is hard to tell from here."};

constexpr std::array<std::string_view, 6> kReplyToAdvice{"saved. Thank you!",
                                                         "it took me {number} years to learn the same.",
                                                         "half agree: {advice} works better {place}.",
                                                         "tried it {when}. {outcome}!",
                                                         "does that hold for {problem} too?",
                                                         "{cheer} I will try that with the {thing}."};

constexpr std::array<std::string_view, 6> kReplyToPlan{"count me in for {day}.",
                                                       "I am away on {day}, take notes for me.",
                                                       "{cheer} Watch out for {problem}.",
                                                       "bring {number} more people and I come too.",
                                                       "do it. I {deed} {place}, and {outcome}.",
                                                       "the {thing}? Respect. And {advice}."};

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
  const std::array<std::pair<std::string_view, Words>, 10> slots{{{"deed", topic.deeds},
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

}  // namespace

WrittenPost DemoWriter::WritePost(std::size_t topic) {
  WrittenPost post = Draft(topic);
  while (!written_.insert(post.text).second) post = Draft(topic);
  return post;
}

std::string DemoWriter::WriteComment(const WrittenPost& post) {
  return Fill(random_->Pick(kPatterns[static_cast<std::size_t>(post.kind)].replies), post);
}

WrittenPost DemoWriter::Draft(std::size_t topic) {
  const Patterns& patterns = DrawPatterns(random_);
  WrittenPost post{.text = {}, .kind = patterns.kind, .topic = topic, .thing = random_->Pick(Topics()[topic].things)};
  post.text = Fill(random_->Pick(patterns.posts), post);
  return post;
}

std::string DemoWriter::Fill(std::string_view pattern, const WrittenPost& post) {
  std::string text;
  while (!pattern.empty()) {
    const std::size_t open = std::min(pattern.find('{'), pattern.size());
    text += pattern.substr(0, open);
    pattern.remove_prefix(open);
    if (pattern.empty()) break;
    const std::size_t close = pattern.find('}');
    const std::string_view slot = pattern.substr(1, close - 1);
    text += slot == "thing" ? post.thing : DrawUnused(WordsFor(slot, Topics()[post.topic]), text);
    pattern.remove_prefix(close + 1);
  }
  CapitaliseSentences(&text);
  return text;
}

std::string_view DemoWriter::DrawUnused(std::span<const std::string_view> words, std::string_view text) {
  std::string_view word = random_->Pick(words);
  while (text.find(word) != std::string_view::npos) word = random_->Pick(words);
  return word;
}

}  // namespace novafeed
