/** The emoji that a message can have as a reaction, by their names. Upper and lower case matter to Lark. */
const NAMES = `
18X 2022 Alarm ANGRY APPLAUSE AWESOMEN Basketball BeamingFace BEAR BEER BETRAYED BLUBBER BLUSH
BOMB BubbleTea BULL CAKE CALF CANDIEDHAWS CheckMark CHUCKLE CLAP CLEAVER ClownFace Coffee
ColdSweat COMFORT CRAZY CrossMark CRY CUCUMBER Delighted DIZZY DONE DROOL DROWSY Drumstick DULL
EatingFood EMBARRASSED ENOUGH ERROR EYESCLOSED FACEPALM FINGERHEART Fire FIRECRACKER FIREWORKS
FISTBUMP FORTUNE FROWN FullMoonFace GeneralBusinessTrip GeneralDoNotDisturb GeneralInMeetingBusy
GeneralMoonRest GeneralSun GeneralTravellingCar GeneralWorkFromHome Get GIFT GLANCE GoGoGo HAMMER
HappyDragon HAUGHTY HEADSET HEART HEARTBROKEN HIGHFIVE HUG Hundred HUSKY INNOCENTSMILE JIAYI
JOYFUL JubilantRabbit KISS LAUGH Lemon LGTM LIPS LOL LOOKDOWN Loudspeaker LOVE LUCK MeMeMe
MinusOne MONEY Mooncake MoonRabbit Movie MUSCLE Music No NOSEPICK OBSESSED OK OKR OneSecond OnIt
PARTY Partying Pepper PETRIFIED Pin POOP PRAISE PROUD PUKE Pumpkin RAINBOWPUKE REDPACKET
RoarForYou ROSE SALUTE SaluteFace SCOWL SHAKE SHHH SHOCKED SHOWOFF Shrug SHY SICK Sigh SILENT
SKULL SLAP SLEEP SLIGHT SMART SMILE SMIRK SMOOCH SMUG Snowman SOB Soccer SPEECHLESS SPITBLOOD
Status_PrivateMessage StatusBus StatusEnjoyLife StatusFlashOfInspiration StatusInFlight
StatusReading StickyRiceBalls STRIVE SWEAT TEARS TEASE TERROR THANKS ThanksFace THINKING
ThumbsDown THUMBSUP TOASTED TONGUE TRICK Trophy TV Typing UPPERLEFT VRHeadset WAIL WAVE WHAT
WHIMPER WINK WITTY WOW WRONGED XBLUSH XmasHat XmasTree YAWN YEAH Yes YouAreTheBest`;

const BY_NAME: ReadonlyMap<string, string> = new Map(
  NAMES.trim()
    .split(/\s+/)
    .map((name) => [name.toLowerCase(), name]),
);

/** Lark's own spelling of a name, in whatever case it is given. Undefined if there is no such emoji. */
export function emojiNamed(name: string): string | undefined {
  return BY_NAME.get(name.trim().toLowerCase());
}
