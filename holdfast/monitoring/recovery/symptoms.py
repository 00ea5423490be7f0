"""A symptom looks wrong, and is no fault with a name: what it is, and what to do, in order."""

from dataclasses import dataclass

from holdfast.core.state_machine import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """Tells of something that looks wrong."""

    seen: str
    why: str
    steps: tuple[str, ...]


_EXPLAIN = "`holdfast explain` says it in words."

# fmt: off
SYMPTOMS: tuple[Symptom, ...] = tuple(
    Symptom(seen=seen, why=why, steps=steps)
    for seen, why, steps in (
        (f"It stays in {State.BOOT.name}",
         "The self-test waits for something: a device that does not answer, an open emergency loop, a contactor that is not confirmed open, an inverter that does not hold the 0 W that were written to it.",
         (f"{_EXPLAIN} The line `Before it may start` has all that it waits for.",
          "`holdfast check --connect` asks each device, and says what it tells and what is missing. It wants the site not to run.",
          "Is the emergency button released, and its wire whole?")),
        (f"It is in {State.IDLE.name} though it was running",
         "The controller had ended: a power cut, an update, a crash. A site waits for a person then, unless `resume: automatic` in site.yaml says that it goes on by itself; what is latched waits in any case.",
         ("Find out why it ended: `holdfast audit show --last 30`, and the folder `log` in state_dir.",
          "`holdfast start`.",
          "If it shall go on by itself after a power cut: `resume: automatic`.")),
        ("No device answers, or one does not",
         "`connection refused`: there is a computer at this address, and it does not listen on that port. `no route`, `no answer from this address`: nobody is there, or a network lies between. It connects and nothing is read: most often the device id, or another program that holds the only connection. `there is no such adapter`: unplugged, or another name.",
         ("`holdfast explain` and `holdfast status` name the device, its address and the reason.",
          "From the same computer: `holdfast devices scan`, with the address of the device.",
          "End what else talks to it: home automation, the maker's gateway, a second Holdfast. Many talk to one only.",
          "`permission denied` of a serial adapter: the user that runs the site belongs into the group dialout.")),
        ("A start is refused",
         "The answer says why: something is not ready, or is latched.",
         (_EXPLAIN,
          f"In {State.ERROR.name} or {State.STOPPED.name}: [after a trip](after-a-trip.md).")),
        ("It runs, and the battery rests",
         "Most often that is the plan: it keeps its energy for a dearer hour. Or the battery is as full or as empty as it may be, `authority: observe` writes nothing, or a person or a rule has asked for rest.",
         ("`holdfast explain` names who asks, and what narrows it.",
          "`holdfast plan` has the reason of each slot.")),
        ("It gives less than it should",
         "Something narrows it: `authority: limited`, a cold or nearly full battery, the BMS, data that come late, a limit at the meter.",
         ("`holdfast status`: between `asked` and `permitted` stands the limit that set it; between `written` and `measured` it is the device.",
          "`holdfast limits` has each limit with its values, and how it ends.")),
        ("There is no plan",
         "No prices are known for now, a source is stale, or the optimizer failed. The site follows its local rule meanwhile: nothing is unsafe.",
         ("`holdfast plan` tells the planner's last word.",
          "`holdfast prices` tells each source, when it answered last, and its error.",
          "The file `planner.log` in the folder `log` of state_dir.")),
        ("A command says that no controller answers",
         "`holdfast run` does not run, or it runs for another site.yaml: the commands find it by `state_dir`.",
         ("Give the same file: `--config`, or be in its folder.",
          "Is it running? Look at the service, or start it: `holdfast run`.",
          "`NOTHING WAS STOPPED: this user may not`: ask as the user that runs the site, or as root.")),
        ("It does not start: something already runs, or steers a device",
         "A lock of the kernel keeps a site from running twice, and two sites on this computer from steering one device. The text says who holds it.",
         ("End the other one, or give this site its own `state_dir`, devices and ports.",)),
        ("`Address already in use`",
         "Two sites on one computer have the same port.",
         ("Give each its own `gateway.port` and `api.port`.",)),
        ("The pages do not open",
         "They listen on this computer alone until `api.host` says otherwise. By a name that is not one of the site's they are refused, too.",
         ("On the computer itself: the address that `holdfast run` prints.",
          "The plain page at `gateway.port` works while the rest does not: [the emergency interface](emergency.md#the-emergency-interface).",
          "`the pages themselves are not there` in the output of `holdfast run`: they were not built.")),
        ("Nobody can log in",
         "A password, a telephone or the last admin is lost, or the file of accounts is damaged. Stopping needs no login.",
         ("The way back in: [accounts without the web](access.md#accounts-without-the-web).",)),
        ("Savings and history are empty",
         "They are counted from what was measured with its prices, in whole quarter hours.",
         ("Wait for an hour. `holdfast savings` says how much was measured, and what is missing.",)),
        ("`holdfast: command not found`",
         "It is installed into an environment of its own.",
         ("Activate it in each new terminal, as [README](../README.md#your-own-site) shows.",)),
    )
)
# fmt: on
