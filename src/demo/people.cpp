#include "demo/people.h"

#include <cctype>
#include <cmath>
#include <unordered_set>

#include "demo/vocabulary.h"

namespace novafeed {
namespace {

class Namer {
 public:
  explicit Namer(DemoRandom* random) : random_(random) {}

  void Name(std::size_t number, DemoPerson* person) {
    // Spread through the network, so that they turn up in every list.
    if (number % 20 == 7 && number / 20 < OtherNames().size()) {
      const PersonName& other = OtherNames()[number / 20];
      person->handle = other.handle;
      person->name = other.name;
      handles_.insert(person->handle);
      return;
    }
    do {
      const std::string_view given = random_->Pick(GivenNames());
      const std::string_view family = random_->Pick(FamilyNames());
      person->name = std::string(given) + " " + std::string(family);
      person->handle = std::string(given) + "_" + std::string(family);
      for (char& letter : person->handle) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    } while (!handles_.insert(person->handle).second);
  }

 private:
  DemoRandom* random_;
  std::unordered_set<std::string> handles_;
};

}  // namespace

std::vector<DemoPerson> MakeDemoPeople(DemoRandom* random, std::size_t count) {
  std::vector<DemoPerson> people(count);
  Namer namer(random);
  for (std::size_t number = 0; number < count; ++number) {
    DemoPerson& person = people[number];
    namer.Name(number, &person);
    std::string external = "demo-" + person.handle;
    person.id.id = IdFromExternal(IdKind::kUser, external);
    person.id.external_id = std::move(external);
    person.topic = number % Topics().size();
    person.fame = std::min(random->Pareto(1.1), 150.0);
    // Those whom many follow also tend to do more.
    person.diligence = std::pow(person.fame, 0.25) * std::min(random->Pareto(2.0), 4.0);
    person.joined = random->Unit();
  }
  return people;
}

}  // namespace novafeed
