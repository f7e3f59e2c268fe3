"""Staff, customers and banks of the demo. All are invented; Belvo's banks are the simulator's own."""

from itertools import product

from linkadmin.accounts.roles import Role

# username, name, role; those who sign in have the demo's password, the others are only assignees
SIGN_INS = (
    ("support", "Nadia Okell", Role.SUPPORT),
    ("manager", "Tomás Ferreyra", Role.MANAGER),
    ("auditor", "Ingrid Solheim", Role.AUDITOR),
    ("admin", "Ravi Mehrotra", Role.ADMINISTRATOR),
    ("admin2", "Grace Whitlock", Role.ADMINISTRATOR),  # approves what the other asks for
)
COLLEAGUES = (
    ("ines.duarte", "Inês Duarte", Role.SUPPORT),
    ("joel.hartwig", "Joel Hartwig", Role.SUPPORT),
    ("mariana.quiroz", "Mariana Quiroz", Role.SUPPORT),
)
STAFF = (*SIGN_INS, *COLLEAGUES)
OWNERS = tuple(username for username, _name, role in STAFF if role is Role.SUPPORT)
# Who answers for the customers of a country. Others have no account manager.
ACCOUNT_MANAGERS = {"MX": "manager", "CO": "mariana.quiroz", "BR": "ines.duarte"}

BELVO_BANKS = (
    "erebor_mx_retail",
    "gringotts_mx_retail",
    "heimdall_mx_retail",
    "gotham_mx_business",
    "agavedorado_mx_retail",
    "tresvolcanes_mx_business",
    "mareazul_mx_retail",
    "tatooine_mx_fiscal",
    "moseisley_mx_fiscal",
    "anchorhead_mx_fiscal",
    "planet_mx_employment",
    "slurm_mx_employment",
    "erebor_co_retail",
    "heimdall_co_retail",
    "paramoverde_co_retail",
    "orquideareal_co_retail",
    "condorandino_co_business",
    "erebor_br_retail",
    "tucanomanso_br_retail",
    "capivara_br_retail",
    "ofmockbank_br_retail",
    "ipeamarelo_br_retail",
    "vitoriaregia_br_retail",
    "araucaria_br_business",
    "momcorp_br_employment",
    "kashyyyk_cl_fiscal",
)
# Heron doesn't name banks: staff did when they created the links.
HERON_BANKS = {
    "Copper Lantern Bank": "US",
    "Prairie Kite Savings": "US",
    "Pelican & Pine Credit Union": "US",
    "Tumbleweed National Bank": "US",
    "Marigold Harbor Bank": "US",
    "Thistle & Rook Bank": "GB",
    "Otter Vale Building Society": "GB",
    "Gorse Hill Mutual": "GB",
}

# In addition to the one whose link is repaired first.
CUSTOMERS_OF = {"MX": 48, "CO": 20, "BR": 60, "CL": 15, "US": 66, "GB": 40}

_SPANISH = (
    ("Panadería", "Ferretería", "Farmacia", "Taller", "Distribuidora", "Textiles", "Transportes", "Papelería"),
    ("Luna Clara", "El Roble", "Tres Ríos", "La Esquina", "Monte Azul", "Siete Leguas", "Buen Viento", "La Ceiba"),
)
_COLOMBIAN = (
    ("Cafetería", "Confecciones", "Droguería", "Muebles", "Lácteos", "Viveros"),
    ("El Guayacán", "Alto Bonito", "Doña Pilar", "La Vereda", "Rionegrito", "Sol de Enero", "Cuatro Esquinas"),
)
_CHILEAN = (
    ("Panadería", "Ferretería", "Viña", "Librería", "Pesquera", "Botica"),
    ("Cerro Alegre", "Aguas Claras", "El Litre", "Doña Violeta", "Valle Hondo"),
)
_BRAZILIAN = (
    ("Padaria", "Oficina", "Mercadinho", "Confecções", "Marcenaria", "Floricultura", "Sorveteria", "Livraria"),
    ("Maré Alta", "Bem-te-vi", "Três Irmãos", "Serra Mansa", "Ponto Certo", "Dona Celeste", "Boa Vizinha", "Pé de Ipê"),
)
_AMERICAN = (
    ("Blue Fern", "Juniper Street", "Red Barn", "Lantern Hill", "Quiet Creek", "Old Orchard", "Cedar & Salt", "Ninth"),
    ("Bakery", "Hardware", "Roofing", "Pet Supply", "Coffee Roasters", "Dental", "Landscaping", "Print Shop", "Cycles"),
)
_BRITISH = (
    ("Hedgerow", "Puddle Lane", "Kestrel", "Brass Kettle", "Moorside", "Fiddler's Green", "Tern & Tide"),
    ("Joinery", "Tea Rooms", "Plumbing", "Books", "Garden Centre", "Upholstery"),
)
_PARTS = {"MX": _SPANISH, "CO": _COLOMBIAN, "BR": _BRAZILIAN, "CL": _CHILEAN, "US": _AMERICAN, "GB": _BRITISH}


def names_in(country: str) -> list[str]:
    return [" ".join(pair) for pair in product(*_PARTS[country])]
