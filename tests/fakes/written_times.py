"""Writing days and times in the forms that a mapping can declare: the other way round from the reader."""

from datetime import datetime

from gateway.convert.program import DateForm, TimeForm


def written_day(moment: datetime, form: DateForm, *, zeros: bool = False) -> str:
    """Write a day; ``zeros`` before one digit where the form leaves it open."""
    width = 2 if zeros else 1
    year, month, day = f"{moment.year:04}", f"{moment.month:0{width}}", f"{moment.day:0{width}}"
    if form in {"YYYY-MM-DD", "YYYYMMDD"}:
        month, day = f"{moment.month:02}", f"{moment.day:02}"
    return (
        form.replace("YYYY", year).replace("MM", "M").replace("DD", "D").replace("M", month).replace("D", day)
    )


def written_time(moment: datetime, form: TimeForm) -> str:
    """Write a time of day, as far as the form goes."""
    match form:
        case "hh:mm:ss":
            return moment.strftime("%H:%M:%S")
        case "hh:mm":
            return moment.strftime("%H:%M")
        case "h:mm:ss AM/PM":
            return f"{(moment.hour + 11) % 12 + 1}:{moment:%M:%S} {'AM' if moment.hour < 12 else 'PM'}"
        case "hmm":
            return str(moment.hour * 100 + moment.minute)
