"""What is private because of the word before it: ``passport C01X00T47``, ``geboren am 12.3.1985``, ``Kontonr. ...``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from hybridchat.privacy.cues import Cues, vocabulary
from hybridchat.privacy.spans import Kind, Span
from hybridchat.privacy.words import lowered


@dataclass(frozen=True, slots=True)
class Context:
    """The group ``value`` of ``pattern``, tried right behind one of the cues, is of ``kind``."""

    kind: Kind
    cues: Cues
    pattern: re.Pattern[str]


def _context(kind: Kind, cues: str, pattern: str, flags: re.RegexFlag = re.NOFLAG) -> Context:
    return Context(kind, Cues(cues.split()), re.compile(pattern, flags))


_FILLER = (
    r"(?:[ _-]{0,2}(?i:number|numbers|no\.?|nr\.?|num|nummer|id|code|card|account|key|numéro|número|numero|n[°º]|番号"
    r"|号码|号))?"
    r"[\"'`*)\]]{0,3}\s{0,2}(?:(?i:is|ist|lautet|est|es|è|é|är|er|on|at|am|auf|unter)\b|(?:は|是|为|為)|[:=：＝#>|,\-–?]{"
    r"1,3}){0,2}\s{0,4}[\"'`(\[*]{0,3}"
)
_DIGITLESS = r"[^0-9\n]{0,32}?"
_NUMBER = r"[0-9](?:[ .\-/]?[0-9]){4,21}(?:[ \-]?[A-Z]{1,2}(?![A-Za-z]))?"
_CODE = r"(?:(?=(?:[A-Za-z\-]{0,6}[0-9]){3})[A-Za-z0-9](?:-?[A-Za-z0-9]){5,19}|(?=[A-Z]{0,8}[0-9])[A-Z0-9]{6,12})"
_NAMED = rf"(?<![0-9A-Za-z])(?P<value>{_NUMBER}|{_CODE})(?![0-9A-Za-z])"
_MONTHS = (
    r"(?i:jan|feb|mar|mär|mrz|maa|apr|avr|abr|may|mai|mei|maj|mag|jun|jui|giu|jul|lug|aug|août|aoû|ago|sep|set|oct|"
    r"okt|ott|out"
    r"|nov|dec|dez|déc|dic|gen|ene|fev|fév|янв|фев|мар|апр|ма[яй]|июн|июл|авг|сен|окт|ноя|дек|sty|lut|kwi|cze|lip|s"
    r"ie|wrz|paź|lis|gru)"
    r"[^\W\d_]{0,9}\.?"
)
DATE = (
    r"(?:[12][0-9]{3}[-/.年]\s?[0-9]{1,2}[-/.月]\s?[0-9]{1,2}日?|[0-9]{1,2}\s?[-/.]\s?[0-9]{1,2}\s?[-/.]\s?(?:[0-9]{4}"
    r"|[0-9]{2})"
    rf"|[0-9]{{1,2}}(?:st|nd|rd|th|er|º|\.)?(?:\s(?:de|of|di))?\s{_MONTHS},?(?:\s(?:de|del))?\s[12][0-9]{{3}}"
    rf"|{_MONTHS}\s[0-9]{{1,2}}(?:st|nd|rd|th)?,?\s[12][0-9]{{3}}|[12][0-9]{{3}}년\s?[0-9]{{1,2}}월\s?[0-9]{{1,2}}일"
    rf"|[0-9]{{1,2}}-{_MONTHS}-[0-9]{{2,4}}|(?:19|20)[0-9]{{6}})"
)
_COORDINATE = r"(?P<value>[+-]?[0-9]{1,3}(?:[.,][0-9]{3,}|°[^\n\"]{1,16}))"

CONTEXTS = (
    _context(
        Kind.BIRTH_DATE,
        "born birth* dob d.o.b* geboren* geburtsdatum geburtstag geb né_le née_le né(e) naissance nacido nacida "
        "nacimiento "
        "nacimento nato_il nata_il nascita nascido nascida nascimento geboorte* geboortedatum urodz* urodzenia ur. "
        "född födelsedatum "
        "fødselsdato født syntynyt syntymäaika doğum narození születés* родил* рождения д.р. народження γέννησης 出生 "
        "生年月日 生日 誕生日 생년월일 출생 जन्म* الميلاد bday",
        rf"(?:[^\n0-9]{{0,40}}?)(?P<value>{DATE})(?![0-9])",
    ),
    _context(
        Kind.ID,
        "ssn social_security* sozialversicherungs* rentenversicherungs* steuer-id* steueridentifikations* "
        "steuernummer* steuerid "
        "idnr tax_id taxid tax_file* national_id* nationalid* national_insurance nino nhs* personnummer personnr "
        "samordningsnummer fødselsnummer fodselsnummer henkilötunnus* hetu burgerservice* sofinummer pesel dowód* "
        "numéro_de_sécurité* sécurité_sociale securite_sociale insee codice_fiscale* cpf cnpj nipc contribuinte curp "
        "cuit cuil cédula cedula aadhaar* aadhar* uidai pan_number pan_card my_number マイナンバー 身份证* "
        "居民身份证 주민등록번호 "
        "снилс паспорт* rodné_číslo teudat_zehut tckn tc_kimlik* kimlik* nric hkid social_insurance "
        "medicare* medicaid* health_insurance* krankenversicherungs* versichertennummer* insurance_id insurance_number "
        "policy_number policy_no member_id patient_id patient_number medical_record* employee_id personalnummer* "
        "identity_number "
        "identity_card* id_number id_card* ausweis* personalausweis* carte_d'identité* citizen_id citizen_number "
        "tax_number "
        "vat_number ust-id* niss rijksregister* registre_national matricule imei* imsi iccid student_id "
        "matrikelnummer* "
        "passport* reisepass* passeport* pasaporte* passaporto* passaporte* paspoort* paszport* "
        "護照 护照* パスポート* 여권* "
        "driver's_license* drivers_license* driver_license* driving_licence* driving_license* driverslicense* "
        "driverlicense* "
        "driver's_licence* licence_number license_number führerschein* permis_de_conduire licencia_de_conducir "
        "carnet_de_conducir "
        "rijbewijs* green_card* alien_registration license_plate* licence_plate* number_plate* kennzeichen* 免許証*",
        rf"{_DIGITLESS}{_NAMED}",
    ),
    _context(
        Kind.ID,
        "tfn tin itin ein cpr bsn nip regon dni nie nif nir rut rfc sin fin egn oib amka afm ahv avs nhi mrn vin "
        "инн inn cnp cnic rrn mykad nik ktp oib sv-nummer svnr ת.ז visa_number "
        "dl_number plate patente serial_number case_number insurance niss nrn",
        rf"{_FILLER}{_NAMED}",
    ),
    _context(
        Kind.IBAN,
        "iban* account_number* account_no* acct* bank_account* kontonummer* kontonr* konto rekeningnummer* "
        "numéro_de_compte* "
        "número_de_cuenta* número_da_conta* conta_corrente numero_di_conto* routing_number* routing_no* aba sort_code* "
        "bankleitzahl* blz bsb ifsc clabe bank_details* 银行账号* 口座番号* 계좌번호* номер_счета* расчетный_счет*",
        r"(?:[^0-9\n]{0,32}?)(?P<value>(?:[A-Z]{2,4})?[0-9](?:[ \-]?[0-9A-Z]){4,33})(?![0-9A-Za-z])",
    ),
    _context(
        Kind.CARD,
        "card_number* cardnumber* credit_card* creditcard* debit_card* kreditkarte* kartennummer* carte_bancaire* "
        "carte_de_crédit* "
        "tarjeta* cartão* carta_di_credito* visa mastercard* amex* american_express maestro карт* 信用卡* 银行卡* "
        "クレジットカード* 카드번호* pan",
        r"(?:[^0-9\n]{0,32}?)(?P<value>[0-9](?:[ \-.]?[0-9]){11,18})(?![0-9])",
    ),
    _context(Kind.CARD, "cvv* cvc* cvn csc card_security_code* prüfziffer security_code*", rf"{_FILLER}(?P<value>[0"
                                                                                           rf"-9]{{3,4}})(?![0-9])"),
    _context(
        Kind.PHONE,
        "tel telnr tlf phone* telefon* telephone* téléphone* teléfono* telefone* telefoon* mobile mobil "
        "mobilnummer mobiltelefon handy* "
        "cell cellphone* fax* whatsapp* signal_number* sms call_me* ring_me* rufnummer* numéro móvil* celular* "
        "portable cel gsm "
        "mob komórka puhelin* puh τηλ* тел* телефон* моб* 电话* 手机* 電話* 携帯* 전화* 휴대폰* फ़ोन मोबाइल هاتف جوال "
        "contact_number* call reach_me_at text_me ruf_mich_an",
        r"(?:[^0-9+\n]{0,24}?)(?P<value>\+?\(?[0-9](?:[ ().\-/]{0,3}[0-9]){5,14})(?![0-9A-Za-z_]|[.,:][0-9])",
    ),
    _context(Kind.PASSWORD, "pin pincode pin-code pin_code geheimzahl tan otp one-time_code* verification_code* "
                            "passcode* 2fa* mfa_code "
             "recovery_code* backup_code* security_code* confirmation_code* sms_code einmalcode* bestätigungscode*",
             rf"{_FILLER}(?P<value>[0-9](?:[ \-]?[0-9]){{3,9}})(?![0-9A-Za-z]|[.,][0-9])"),
    _context(
        Kind.MAC,
        "mac mac_address mac_addr mac-adresse* bd_addr hwaddr hw_addr ether bssid adresse_mac dirección_mac",
        rf"{_FILLER}(?P<value>[0-9A-Fa-f]{{12}}|[0-9A-Fa-f]{{6}}-[0-9A-Fa-f]{{6}}|[0-9A-Fa-f]{{1,2}}"
        r"(?::[0-9A-Fa-f]{1,2}){5}|[0-9A-Fa-f]{2}(?: [0-9A-Fa-f]{2}){5})(?![0-9A-Za-z])",
    ),
    _context(
        Kind.LOCATION,
        "lat lon lng long latitude longitude breitengrad längengrad latitud longitud coordinates coords gps geo "
        "koordinaten coordonnées coordenadas",
        rf"[\"'`\s:=(\[]{{0,6}}{_COORDINATE}",
    ),
    _context(
        Kind.NAME,
        "my_name_is i_am_called mein_name_ist ich_heiße ich_heisse je_m'appelle mon_nom_est me_llamo mi_nombre_es "
        "mi_chiamo "
        "meu_nome_é chamo-me mijn_naam_is nazywam_się jag_heter jeg_heter меня_зовут full_name fullname first_name "
        "last_name "
        "firstname lastname surname vorname nachname maiden_name",
        r"[\"'`*]{0,3}\s{0,2}[:=>]{0,2}\s{0,3}[\"'`]{0,2}(?P<value>(?:[^\W\d_a-z][^\W\d_]*[.'’-]?[^\W\d_]*)(?:[ ][^"
        r"\W\d_a-z][^\W\d_]*[.'’-]?[^\W\d_]*){0,3})(?![^\W_]|\()",
    ),
    _context(
        Kind.SECRET,
        "seed_phrase* recovery_phrase* mnemonic* secret_phrase* wallet_phrase* seed_words* recovery_words* seed",
        r"[^a-z\n]{0,12}(?:(?:is|words|phrase)[^a-z]{1,6}){0,2}(?P<value>(?:[a-z]{3,8}[ \n]{1,2}){11,23}[a-z]{3,8})",
    ),
)  # fmt: skip


def in_context(text: str) -> Iterator[Span]:
    """Find what its surroundings give away."""
    low = lowered(text)
    words = vocabulary(low)
    for context in CONTEXTS:
        for _, end in context.cues.ends(text, low, words):
            match = context.pattern.match(text, end)
            if match is not None:
                start, stop = match.span("value")
                if context.kind is not Kind.ID or _is_code(text[start:stop]):
                    yield Span(start, stop, context.kind)


def _is_code(value: str) -> bool:
    digits = sum(character.isdigit() for character in value)
    return digits >= 4 or (digits > 0 and value.isupper() and value.isalnum())
