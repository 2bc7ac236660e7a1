"""A city's platform, complete and invented: the reference implementation of openapi/platform.yaml."""

from gateway.sandbox.city.application import city_application
from gateway.sandbox.city.book import Book
from gateway.sandbox.city.desk import Desk
from gateway.sandbox.city.faults import Defect, FaultBoard, FaultSwitch, Trouble, read_switch
from gateway.sandbox.city.parts import CityClock, CityParts
from gateway.sandbox.city.residents import settle_residents
from gateway.sandbox.city.rules import CITIES, City, city_named

__all__ = [
    "CITIES",
    "Book",
    "City",
    "CityClock",
    "CityParts",
    "Defect",
    "Desk",
    "FaultBoard",
    "FaultSwitch",
    "Trouble",
    "city_application",
    "city_named",
    "read_switch",
    "settle_residents",
]
