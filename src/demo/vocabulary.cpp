#include "demo/vocabulary.h"

#include <array>

namespace novafeed {
namespace {

template <std::size_t kSize>
using List = std::array<std::string_view, kSize>;

namespace gardening {
constexpr List<12> kThings{"tomato seedlings", "compost heap", "raised bed", "rhubarb",
                           "old apple tree",   "sweet peas",   "courgettes", "water barrel",
                           "lavender border",  "broad beans",  "cold frame", "climbing rose"};
constexpr List<15> kDeeds{"repotted the chillies",        "dug over the whole back bed",
                          "pruned the plum tree",         "sowed three rows of carrots",
                          "built a trellis out of hazel", "turned the compost",
                          "divided the irises",           "pulled bindweed until dark",
                          "planted out the leeks",        "picked the first strawberries",
                          "mended the greenhouse door",   "swapped seeds with the neighbour",
                          "watered everything twice",     "staked the dahlias",
                          "moved the rhubarb at last"};
constexpr List<14> kOutcomes{"half of them came up overnight",
                             "the robin supervised all of it",
                             "the slugs found it within an hour",
                             "it smelled like rain and thyme",
                             "my back has filed a complaint",
                             "the neighbours got a bag of spinach",
                             "we had more beans than jars",
                             "a hedgehog moved in",
                             "the frost took only two leaves",
                             "the first tomato turned red",
                             "the hose had a hole, of course",
                             "three frogs live under the barrel now",
                             "the beans climbed right past the trellis",
                             "it rained the moment I was done"};
constexpr List<9> kProblems{"aphids under every leaf", "blossom end rot",           "slugs in the salad bed",
                            "powdery mildew",          "yellow leaves after rain",  "a very bold pigeon",
                            "leggy seedlings",         "clay that sets like brick", "ants in the pots"};
constexpr List<9> kAdvice{"water in the evening and never on the leaves",
                          "sow half now and half in two weeks",
                          "mulch before the dry spell, not after",
                          "put a board down and collect slugs under it",
                          "harden them off for a full week",
                          "pinch out the side shoots early",
                          "label everything, you will not remember",
                          "leave a corner wild for the beetles",
                          "feed little and often"};
constexpr List<7> kPlaces{"at the allotment",  "behind the shed",         "on the balcony",  "in the greenhouse",
                          "by the south wall", "in the community garden", "before breakfast"};
}  // namespace gardening

namespace cycling {
constexpr List<12> kThings{"old steel frame", "gravel bike", "rear derailleur", "dynamo light",
                           "long loop",       "cargo bike",  "new saddle",      "commuter",
                           "wheel build",     "tandem",      "river route",     "winter tyres"};
constexpr List<15> kDeeds{"swapped the bottom bracket",
                          "rode to the coast and back",
                          "trued both wheels by ear",
                          "fixed a puncture in the rain",
                          "climbed the pass from the steep side",
                          "rewrapped the bars",
                          "left the car at home for once",
                          "cleaned the chain properly",
                          "tried a fixed gear",
                          "taught my niece to ride",
                          "rode a hundred kilometres before noon",
                          "patched the old tube a ninth time",
                          "took the ferry to the other shore",
                          "adjusted the brakes on the roadside",
                          "raced a tram and lost"};
constexpr List<14> kOutcomes{"the creak was the seatpost all along",
                             "there was a headwind both ways, somehow",
                             "the café at the top made up for it",
                             "it shifted like new",
                             "my legs stopped answering at the bridge",
                             "we saw two deer and no cars",
                             "the last hour was pure joy",
                             "one bolt was left over",
                             "the map and the path disagreed",
                             "the sunset kept me out too long",
                             "a stranger lent me his pump",
                             "I ate four slices of cake",
                             "the new tyres hummed all the way",
                             "the hill was shorter than I remembered"};
constexpr List<9> kProblems{
    "a creak under load",   "numb hands after an hour", "a slow puncture",     "brake squeal in the wet",
    "a bent hanger",        "knee pain on long climbs", "a slipping seatpost", "drivers who pass too close",
    "chain drop on cobbles"};
constexpr List<9> kAdvice{"check the tyre before the tube",
                          "drop the pressure by half a bar on gravel",
                          "carry a spare hanger, it weighs nothing",
                          "eat before you are hungry",
                          "wipe the chain after every wet ride",
                          "use a torque wrench on carbon, always",
                          "plan the route so the wind brings you home",
                          "put a boot in the saddle bag",
                          "raise the saddle by millimetres, not by feel"};
constexpr List<7> kPlaces{"along the canal", "up the north side", "on the way to work", "through the old town",
                          "before sunrise",  "in the workshop",   "over the ridge"};
}  // namespace cycling

namespace astronomy {
constexpr List<12> kThings{"eight inch Dobsonian", "Orion nebula", "lunar terminator",  "star tracker",
                           "double cluster",       "finder scope", "Saturn opposition", "guide camera",
                           "Andromeda mosaic",     "red torch",    "variable star log", "Perseids"};
constexpr List<15> kDeeds{"collimated the mirror in the dark",
                          "stacked two hundred short exposures",
                          "sketched the terminator",
                          "split Epsilon Lyrae cleanly",
                          "drove an hour for a dark sky",
                          "logged a dimming of Algol",
                          "showed Saturn to the whole street",
                          "polar aligned on the first try",
                          "caught the space station in one frame",
                          "hunted galaxies in Leo",
                          "drew the moon through thin clouds",
                          "found Uranus with binoculars",
                          "measured a double star",
                          "waited up for a meteor shower",
                          "cleaned the eyepieces at last"};
constexpr List<14> kOutcomes{"the clouds came ten minutes later", "somebody said it looked fake, the best praise",
                             "the seeing was steady as a rock",   "the dew won in the end",
                             "I counted four moons and a shadow", "nobody spoke for a while",
                             "the battery froze before I did",    "a fox watched the whole session",
                             "the spiral arms finally showed",    "a meteor crossed the whole field",
                             "the dog slept through all of it",   "Jupiter looked painted",
                             "I went to bed at five, happy",      "the neighbour switched off the lamp for me"};
constexpr List<9> kProblems{"dew on the corrector",
                            "light pollution from the new car park",
                            "star trails at thirty seconds",
                            "amp glow in the corner",
                            "a wobbling tripod",
                            "clouds on every new moon",
                            "a finder that drifts",
                            "tilt in the image train",
                            "cold fingers at the focuser"};
constexpr List<9> kAdvice{"let the mirror cool for an hour first",
                          "look a little beside the faint ones",
                          "start with binoculars",
                          "take flats before you pack up",
                          "write the log while you still remember",
                          "put the phone away, your eyes need half an hour",
                          "balance slightly east heavy",
                          "wrap the dew heater lower than you think",
                          "learn five constellations before you buy anything"};
constexpr List<7> kPlaces{"from the roof", "at the dark sky site", "in the back garden", "on a frozen field",
                          "past midnight", "between two clouds",   "above the fog"};
}  // namespace astronomy

namespace baking {
constexpr List<12> kThings{"sourdough starter", "rye loaf",      "croissant dough", "cinnamon knots",
                           "focaccia",          "birthday cake", "pie crust",       "pizza steel",
                           "brioche",           "bagels",        "lemon tart",      "old oven"};
constexpr List<15> kDeeds{"mixed the dough by hand",
                          "laminated butter on a hot day",
                          "shaped twelve baguettes",
                          "revived a forgotten starter",
                          "tried a cold proof of two days",
                          "burnt the first tray",
                          "milled the flour at home",
                          "scaled the recipe down by half",
                          "braided a six strand loaf",
                          "swapped a third of the flour for spelt",
                          "folded the dough every half hour",
                          "baked rye in an old tin",
                          "made bagels for the whole office",
                          "proofed the buns in the car",
                          "tempered chocolate without a thermometer"};
constexpr List<14> kOutcomes{"the crumb was open and custardy",
                             "nobody waited until it had cooled",
                             "it rose more in the oven than in the bowl",
                             "the smoke alarm joined in",
                             "the crust sang when it came out",
                             "it spread like a pancake, a tasty one",
                             "the whole stairwell smelled of butter",
                             "one slice made it to the photo",
                             "my grandmother asked for the recipe",
                             "the top cracked like a map",
                             "they were gone in four minutes",
                             "the glaze set like glass",
                             "it tasted like my childhood",
                             "the starter doubled in three hours"};
constexpr List<9> kProblems{"a dense crumb",
                            "butter leaking while proofing",
                            "a soggy bottom",
                            "a pale crust",
                            "dough that tears",
                            "a starter that sulks in winter",
                            "an oven with a hot corner",
                            "cracks in the cheesecake",
                            "shells that stick to the tin"};
constexpr List<9> kAdvice{"weigh the water too",
                          "let the dough rest before you fight it",
                          "steam for the first ten minutes only",
                          "trust the jar, not the clock",
                          "chill the bowl and the flour for pastry",
                          "salt the caramel at the end",
                          "score with one confident stroke",
                          "bake it darker than you dare",
                          "keep a spoon of starter in the freezer"};
constexpr List<7> kPlaces{"in the tiny kitchen", "for the school fair",  "on a rainy afternoon", "with the kids",
                          "before work",         "at my sister's place", "for the neighbours"};
}  // namespace baking

namespace games {
constexpr List<12> kThings{"dialogue system", "boss fight",   "pixel art tiles", "save files",
                           "tutorial level",  "demo build",   "physics bug",     "inventory screen",
                           "soundtrack",      "level editor", "main menu",       "camera shake"};
constexpr List<15> kDeeds{"rewrote the pathfinding",
                          "shipped a build to five testers",
                          "cut a whole chapter",
                          "drew forty frames of a walking cat",
                          "found the memory leak",
                          "added rebindable keys",
                          "replaced the font for the third time",
                          "watched a stranger play it in silence",
                          "profiled the loading screen",
                          "joined a weekend jam",
                          "deleted a thousand lines",
                          "drew the title screen at last",
                          "fixed the jump for the fourth time",
                          "wrote a level in one evening",
                          "ported the build to a handheld"};
constexpr List<14> kOutcomes{"it runs twice as fast on my old laptop",
                             "the testers went left, everybody goes left",
                             "the frame time dropped to four milliseconds",
                             "the cat is now the main character",
                             "one comment deleted two days of work, rightly",
                             "somebody finished it and cried",
                             "the bug became a feature",
                             "I understood my own code again",
                             "we placed ninth and could not be happier",
                             "somebody found a shortcut within a minute",
                             "the menu finally feels right",
                             "the frame rate held all night",
                             "my nephew asked for the second level",
                             "nobody noticed, which is the point"};
constexpr List<9> kProblems{"input lag on gamepads",      "collision at high speed",       "scope creep",
                            "stutter after loading",      "players who skip the tutorial", "z-fighting on the water",
                            "saves that break on update", "music that loops with a click", "a store page nobody reads"};
constexpr List<9> kAdvice{"let people play it before it looks good",
                          "write the trailer before the third level",
                          "keep a build that always runs",
                          "make failure fast to retry",
                          "log the seed of every run",
                          "do sound early, it carries half of the feel",
                          "name the branch after the question it answers",
                          "cap the particles, then cap them again",
                          "sleep before you merge"};
constexpr List<7> kPlaces{"after work",      "at the jam",        "on the train",         "in one long evening",
                          "with my brother", "on the old laptop", "between two deadlines"};
}  // namespace games

namespace photography {
constexpr List<12> kThings{
    "fifty millimetre lens", "contact sheet", "harbour series", "expired film", "street portrait",
    "darkroom print",        "tripod",        "medium format",  "blue hour",    "light meter",
    "family archive",        "scanner"};
constexpr List<15> kDeeds{"developed two rolls at the kitchen sink",
                          "walked the harbour with one lens",
                          "printed the fisherman at last",
                          "asked a stranger for a portrait",
                          "scanned my father's slides",
                          "waited an hour for one cloud",
                          "shot a wedding on film",
                          "sold the zoom",
                          "made a zine of the night buses",
                          "left the camera at home",
                          "printed eight contact sheets",
                          "loaded the film backwards",
                          "borrowed a large format camera",
                          "photographed the bakers at four",
                          "found a roll from ten years ago"};
constexpr List<14> kOutcomes{"frame nineteen is the one",
                             "the negatives came out thin but lovely",
                             "she laughed exactly as I pressed",
                             "everything good happened while I reloaded",
                             "the shadows kept their detail",
                             "the old man now has a print on his wall",
                             "I learned more than in a year of buying gear",
                             "the light lasted forty seconds",
                             "a dog photobombed every single frame",
                             "two frames out of thirty six worked",
                             "the fog did all the composing",
                             "the print took five tries",
                             "the fixer had gone off",
                             "he asked for a copy for his mother"};
constexpr List<9> kProblems{"dust on the negatives",
                            "blown highlights at noon",
                            "a colour cast in the shadows",
                            "shutter shake at a fifteenth",
                            "newton rings",
                            "people who freeze when they see a lens",
                            "a sticky aperture",
                            "backups in four places",
                            "flat light all week"};
constexpr List<9> kAdvice{"meter for the shadows on negative film",
                          "stay after the sun is gone",
                          "print small, look long",
                          "get closer, then one step more",
                          "edit a week later with cold eyes",
                          "clean the glass, not the sensor, first",
                          "carry less and walk further",
                          "show the person their picture",
                          "write the place on the sleeve"};
constexpr List<7> kPlaces{"down at the harbour", "in the darkroom", "at the market",      "on the last tram",
                          "in the fog",          "at golden hour",  "around the old mill"};
}  // namespace photography

namespace running {
constexpr List<12> kThings{"hill repeats", "trail shoes",     "night run",    "half marathon",
                           "head torch",   "long Sunday run", "rest week",    "ridge path",
                           "running vest", "track session",   "recovery jog", "winter training"};
constexpr List<15> kDeeds{
    "ran the ridge in the fog",      "finished my first ultra",        "left the watch in the drawer",
    "did eight hill repeats",        "got lost on a path I know",      "paced a friend to the finish",
    "joined the early group",        "ran to the lake and jumped in",  "volunteered at the aid station",
    "came back after six weeks off", "ran home the long way",          "set out without a plan",
    "paced the beginners' group",    "climbed the tower stairs twice", "ran my first race in years"};
constexpr List<14> kOutcomes{"the last climb took my name and number",
                             "it was slower and much better",
                             "my shoes weighed two kilos of mud",
                             "a cow blocked the only gate",
                             "we were back before the bakery opened",
                             "my heart rate finally behaved",
                             "I cried a bit at kilometre forty",
                             "the knee said nothing at all",
                             "everybody got soup",
                             "the sun came up on the ridge",
                             "I overtook nobody and loved it",
                             "my legs forgave me by Friday",
                             "we talked the whole way",
                             "the dog ran further than I did"};
constexpr List<9> kProblems{
    "shin splints",      "a stitch on every descent", "black toenails",       "stomach trouble after gels",
    "tight calves",      "motivation in November",    "blisters on the heel", "a loose ankle",
    "going out too fast"};
constexpr List<9> kAdvice{"run the easy days truly easy",
                          "walk the steep parts, you lose nothing",
                          "try every gel before race day",
                          "add one run a week, not three",
                          "lace the heel lock",
                          "sleep is training",
                          "strengthen the feet barefoot at home",
                          "turn around while you still feel good",
                          "keep your arms low on the climbs"};
constexpr List<7> kPlaces{"around the reservoir", "up in the hills", "at six in the morning", "along the river",
                          "on the old railway",   "in the drizzle",  "with the club"};
}  // namespace running

namespace music {
constexpr List<12> kThings{"upright bass", "Monk tune",     "bridge of that ballad", "brushes",     "rhythm changes",
                           "late set",     "old Rhodes",    "trumpet mouthpiece",    "jam session", "walking line",
                           "reed box",     "rehearsal tape"};
constexpr List<15> kDeeds{"transcribed four bars in two hours",
                          "sat in with the house band",
                          "restrung the bass with gut",
                          "learned the bridge in all keys",
                          "recorded the trio in one room",
                          "played a whole set without a chart",
                          "counted in far too fast",
                          "found a first pressing for five euros",
                          "practised brushes on a newspaper",
                          "forgot the form and survived",
                          "rehearsed the bridge forty times",
                          "played the wedding without a drummer",
                          "tuned the upright by ear",
                          "learned a tune from a bad recording",
                          "wrote a new ending on the tram"};
constexpr List<14> kOutcomes{"the drummer smiled, so it was wrong in the right way",
                             "the room went quiet at the ritardando",
                             "the tape caught the waiter singing along",
                             "my fingers are still buzzing",
                             "nobody noticed the missing chorus",
                             "the last take was the one",
                             "we closed with a blues and all the lights on",
                             "the neighbours now request songs",
                             "it finally swung",
                             "somebody danced between the tables",
                             "the piano player quoted a nursery rhyme",
                             "we started too slow and stayed there",
                             "the club asked us back",
                             "the silence after it was the best part"};
constexpr List<9> kProblems{
    "rushing in double time",        "a buzz on the low string",    "reeds that die in a week",
    "losing the form in long solos", "a hall with too much echo",   "stiff wrists",
    "endings that fall apart",       "a piano a quarter tone flat", "stage fright before the ballad"};
constexpr List<9> kAdvice{"sing it before you play it",        "put the metronome on two and four",
                          "learn the words of the ballad",     "leave the first chorus alone",
                          "listen to the hi-hat, always",      "record every rehearsal, hear it once",
                          "play softer than you think",        "steal from singers",
                          "end together, the rest is forgiven"};
constexpr List<7> kPlaces{"at the Tuesday session",  "in the cellar bar", "at rehearsal",
                          "on the radio last night", "with the trio",     "in the garage",
                          "before the late set"};
}  // namespace music

constexpr std::array<Topic, 8> kTopics{{
    {"gardening", gardening::kThings, gardening::kDeeds, gardening::kOutcomes, gardening::kProblems, gardening::kAdvice,
     gardening::kPlaces},
    {"cycling", cycling::kThings, cycling::kDeeds, cycling::kOutcomes, cycling::kProblems, cycling::kAdvice,
     cycling::kPlaces},
    {"astronomy", astronomy::kThings, astronomy::kDeeds, astronomy::kOutcomes, astronomy::kProblems, astronomy::kAdvice,
     astronomy::kPlaces},
    {"baking", baking::kThings, baking::kDeeds, baking::kOutcomes, baking::kProblems, baking::kAdvice, baking::kPlaces},
    {"games", games::kThings, games::kDeeds, games::kOutcomes, games::kProblems, games::kAdvice, games::kPlaces},
    {"photography", photography::kThings, photography::kDeeds, photography::kOutcomes, photography::kProblems,
     photography::kAdvice, photography::kPlaces},
    {"running", running::kThings, running::kDeeds, running::kOutcomes, running::kProblems, running::kAdvice,
     running::kPlaces},
    {"music", music::kThings, music::kDeeds, music::kOutcomes, music::kProblems, music::kAdvice, music::kPlaces},
}};

constexpr List<48> kGivenNames{
    "Mira",  "Tomas",  "Aisha", "Jonas",  "Priya", "Lucia", "Kwame", "Ingrid", "Mateo", "Yuki",  "Elif",  "Noah",
    "Zofia", "Rafael", "Hana",  "Oscar",  "Leila", "Ben",   "Sofia", "Dmitri", "Chloe", "Arjun", "Marta", "Felix",
    "Amara", "Hugo",   "Nadia", "Theo",   "Wren",  "Emil",  "Tara",  "Kofi",   "Ida",   "Marco", "Selma", "Owen",
    "Freya", "Ravi",   "Nina",  "Samuel", "Alma",  "Pavel", "June",  "Malik",  "Greta", "Andre", "Lotte", "Isaac"};

constexpr List<40> kFamilyNames{
    "Okafor", "Lindgren", "Moreau",  "Tanaka",   "Rossi",  "Novak", "Haddad",   "Silva",   "Weber",   "Kowalska",
    "Nguyen", "Osei",     "Fischer", "Patel",    "Larsen", "Costa", "Ivanova",  "Murphy",  "Sato",    "Hughes",
    "Demir",  "Bauer",    "Mensah",  "Romero",   "Klein",  "Farah", "Virtanen", "Dubois",  "Eriksen", "Marino",
    "Castro", "Reid",     "Horvat",  "Banerjee", "Quinn",  "Adler", "Mbeki",    "Solberg", "Vargas",  "Whitlock"};

constexpr std::array<PersonName, 8> kOtherNames{{{"layla_haddad", "ليلى حداد"},
                                                 {"dana_levi", "דנה לוי"},
                                                 {"li_na", "李娜"},
                                                 {"haruto_abe", "阿部 陽翔"},
                                                 {"olena_k", "Олена Коваль"},
                                                 {"eleni_p", "Ελένη Παππά"},
                                                 {"minjun", "김민준"},
                                                 {"anjali_rao", "अंजलि राव"}}};

}  // namespace

std::span<const Topic> Topics() {
  return kTopics;
}
Words GivenNames() {
  return kGivenNames;
}
Words FamilyNames() {
  return kFamilyNames;
}
std::span<const PersonName> OtherNames() {
  return kOtherNames;
}

}  // namespace novafeed
