"""What columns are called in the spreadsheets of the world: English, German, French, Spanish, Dutch.

Words are written as `spelled` spells them: small letters, no accents, no signs. The most telling come first:
where two columns could be the same thing, the one with the earlier word is it.
"""

from __future__ import annotations

import re
import unicodedata

_WORDS = {
    "email": """
        email|e mail|email address|e mail address|mail|mail address|emailaddress|primary email
        |work email|contact email|lead email|customer email|billing email|personal email|email id
        |email 1|e mail 1|user email|e mail adresse|email adresse|mailadresse|mail adresse|emailadresse
        |kunden email|e mail privat|courriel|adresse email|adresse e mail|adresse mail
        |adresse electronique|adresse courriel|correo|correo electronico|direccion de correo
        |direccion de correo electronico|mail cliente|e mailadres|emailadres|mailadres""",
    "phone": """
        phone|phone number|telephone|telephone number|mobile|mobile phone|mobile number|mobile no
        |phone no|cell|cell phone|cellphone|tel|tel no|contact number|contact no|lead phone
        |whatsapp number|whatsapp|whatsapp no|phone 1|work phone|home phone|business phone|billing phone
        |telefon|telefonnummer|handy|handynummer|mobil|mobiltelefon|mobilnummer|rufnummer|tel nr
        |telephone portable|portable|tel portable|mobile telephone|numero de telephone|no de telephone
        |n de telephone
        |telefono|movil|celular|telefono movil|numero de telefono|no de telefono|n de telefono
        |telefoon|telefoonnummer
        |mobiel|mobiele telefoon|mobiel nummer|gsm""",
    "first_name": """
        first name|firstname|given name|givenname|forename|fname|merge fname|first|vorname|rufname
        |prenom|nombre de pila|primer nombre|voornaam""",
    "last_name": """
        last name|lastname|surname|family name|familyname|lname|merge lname|last|nachname|familienname
        |zuname|nom de famille|apellido|apellidos|achternaam|familienaam""",
    "full_name": """
        full name|fullname|name|contact name|customer name|client name|lead name|display name|contact
        |person|recipient|billing name|kunde|kundenname|vollstandiger name|kontakt|kontaktname
        |ansprechpartner|vor und nachname|nom complet|nom et prenom|nom|nom du client|nombre
        |nombre completo|nombre y apellidos|nombre y apellido|nombre del cliente|naam|volledige naam
        |klantnaam|contactpersoon""",
    "external_id": """
        external id|customer id|customer number|customer no|contact id|record id|prospect id|lead id
        |client id|user id|subscriber id|member id|person id|account number|id|uid|guid|kundennummer
        |kunden nr|kundennr|kunden id|kontakt id|debitorennummer|numero client|no client|id client
        |numero de client|id de cliente|numero de cliente|no de cliente|klantnummer|klant id|klantnr""",
    "company": """
        company|company name|organization|organisation|organization name|organisation name|account
        |account name|business|business name|employer|company account|firma|firmenname|unternehmen
        |betrieb|societe|entreprise|raison sociale|nom de l entreprise|empresa|compania
        |nombre de la empresa|razon social|bedrijf|bedrijfsnaam|organisatie""",
    "job_title": """
        job title|jobtitle|position|role|job|title|berufsbezeichnung|funktion|stelle|poste|fonction
        |puesto|cargo|functie|functietitel""",
    "language": """
        language|lang|locale|preferred language|preferred locale|sprache|langue|idioma|lengua|taal
        |voorkeurstaal""",
    "country": """
        country|country code|country name|cc|country region|default address country code|land|landercode
        |landeskurzel|pays|code pays|pais|codigo de pais|landcode""",
    "city": """
        city|town|default address city|billing city|mailing city|ort|stadt|wohnort|ville|localite
        |commune|ciudad|localidad|poblacion|plaats|stad|woonplaats""",
    "postcode": """
        postcode|post code|zip|zip code|zipcode|postal code|default address zip|billing zip
        |mailing postal code|plz|postleitzahl|code postal|cp|codigo postal""",
    "street": """
        address|street|street address|address 1|address1|address line 1|default address address1
        |mailing street|strasse|anschrift|adresse|strasse und hausnummer|adresse 1|rue|direccion|calle
        |domicilio|straat|adres|straat en huisnummer""",
    "region": """
        state|region|province|county|state region|state province|default address province code
        |bundesland|kanton|departement|provincia|estado|comunidad autonoma|provincie""",
    "time_zone": "time zone|timezone|tz|zeitzone|fuseau horaire|zona horaria|tijdzone",
    "birthday": """
        birthday|birth date|birthdate|date of birth|dob|born|geburtstag|geburtsdatum|geboren
        |date de naissance|anniversaire|ne le|fecha de nacimiento|cumpleanos|nacimiento|geboortedatum
        |verjaardag""",
    "gender": "gender|sex|geschlecht|anrede|sexe|genre|civilite|genero|sexo|geslacht|aanhef",
    "tags": """
        tags|tag|labels|label|lists|groups|schlagworte|schlagworter|stichworte|kategorien|etiquettes
        |mots cles|etiquetas|categorias""",
    "notes": """
        notes|note|comment|comments|remarks|remark|memo|notizen|notiz|bemerkung|bemerkungen|kommentar
        |anmerkung|remarque|remarques|commentaire|commentaires|notas|nota|comentarios|observaciones
        |opmerking|opmerkingen|notities""",
    "source": """
        lead source|source|original source|initial source|data source|utm source|platform|channel
        |how did you hear about us|quelle|herkunft|lead quelle|origine|provenance|origen|fuente|bron
        |herkomst""",
    "consent": """
        accepts email marketing|email marketing consent|consent|accepts marketing|opt in|opted in|optin
        |marketing opt in|newsletter|subscribed|gdpr consent|email opt in|einwilligung|zustimmung
        |werbeeinwilligung|newsletter angemeldet|consentement|accepte les e mails
        |inscrit a la newsletter|consentimiento|acepta marketing|suscrito|toestemming|aangemeld
        |nieuwsbrief""",
    "consent_at": """
        optin time|opt in time|opt in date|optin date|consent date|consent time|confirm time
        |consent timestamp|email marketing consent timestamp|timestamp opt|subscribed at|subscribe date
        |einwilligung am|anmeldedatum|angemeldet am|date de consentement|date d inscription
        |fecha de consentimiento|fecha de alta|fecha de suscripcion|datum toestemming|aanmelddatum""",
    "created_at": """
        created at|created|created time|create date|createdate|created date|date created|date added
        |sign up|signup date|sign up date|registered|registration date|date|erstellt|erstellt am
        |angelegt am|registriert am|datum|date de creation|cree le|fecha de creacion|creado|creado el
        |fecha|aangemaakt|aangemaakt op|aanmaakdatum""",
    "website": """
        website|web site|url|homepage|webseite|internetseite|site web|site internet|sitio web|pagina web""",
    "status": """
        status|lead status|lifecycle stage|stage|state of lead|statut|etape|estado del lead|etapa|fase""",
    "stage": """
        stage|lead stage|lead status|status|lifecycle stage|pipeline stage|phase|leadstatus|verkaufsphase
        |statut|etape|estado|etapa|fase""",
    "became_at": """
        became a lead on|lead since|created date|create date|created at|created|created time|date created
        |date added|conversion time
        |erstellt am|angelegt am|date de creation|fecha de creacion|aangemaakt op""",
    "owner": """
        owner|lead owner|contact owner|sales rep|assigned to|betreuer|verkaufer|vendeur|responsable
        |vendedor|eigenaar""",
    "sku": """
        sku|variant sku|product sku|lineitem sku|stock code|stockcode
        |item number|article number|article no|product code|item code
        |artikelnummer|artikel nr|art nr|reference|ref|code article|referencia|codigo de producto
        |artikelcode""",
    "product_id": """
        product id|item id|article id|handle|id|produkt id|produktnummer|id produit|id producto
        |id de producto|productnummer""",
    "product_name": """
        product name|product title|title|name|item name|article name|item|product|article|produktname
        |produkt|artikelname|artikelbezeichnung|bezeichnung|artikel|nom du produit|designation|libelle
        |nom|produit|nombre del producto|nombre|producto|productnaam|artikelnaam|naam""",
    "order_number": """
        order number|order no|order name|order|invoice number|invoice no|invoiceno|invoice|number|name
        |bestellnummer|bestell nr|auftragsnummer|rechnungsnummer|numero de commande|n de commande
        |commande|numero de pedido|n de pedido|pedido|bestelnummer|ordernummer|factuurnummer""",
    "order_id": "order id|id|bestell id|id commande|id de pedido",
    "customer_id": """
        customer id|customerid|customer number|customer no|user id|client id|kundennummer|kunden nr
        |kunden id|numero client|id client|numero de cliente|id de cliente|klantnummer|klant id""",
    "placed_at": """
        placed at|placed on|order date|ordered at|created at|date created|purchase date|invoice date
        |processed at|date|bestelldatum|auftragsdatum|rechnungsdatum|datum|date de commande|fecha de pedido
        |fecha|besteldatum|orderdatum""",
    "subtotal": "subtotal|sub total|zwischensumme|sous total|subtotaal",
    "discount": """
        discount|discount amount|discount total|rabatt|remise|descuento|korting|kortingsbedrag""",
    "shipping": "shipping|shipping total|shipping cost|versand|versandkosten|livraison|envio|verzendkosten",
    "tax": "tax|taxes|vat|tax total|steuer|mwst|ust|taxe|tva|impuestos|iva|btw",
    "refunded": "refunded|refunded amount|refund|refund total|erstattet|rembourse|reembolsado|terugbetaald",
    "expires": """
        expires|expires at|expiry|expiry date|valid until|good until|ends|end date|gultig bis|ablaufdatum
        |valable jusqu au|date d expiration|valido hasta|fecha de caducidad|geldig tot|vervaldatum""",
    "cancelled_at": "cancelled at|canceled at|storniert am|annule le|cancelado el|geannuleerd op",
    "line_name": """
        lineitem name|line item name|product name|item name|description|product|item|article|title
        |produktname|artikelname|artikel|produkt|bezeichnung|nom du produit|produit|nombre del producto
        |producto|productnaam""",
    "line_product": "product id|lineitem product id|produkt id|id produit|id de producto",
    "description": """
        description|body html|body|long description|product description|beschreibung
        |produktbeschreibung|description du produit|descripcion|omschrijving|beschrijving""",
    "list_price": """
        list price|compare at price|variant compare at price|rrp|msrp|old price|was price|uvp|listenpreis
        |alter preis|prix public|prix conseille|pvp|precio anterior|adviesprijs""",
    "cost": """
        cost|cost per item|cost price|purchase price|einkaufspreis|ek|prix d achat|coste|precio de coste
        |inkoopprijs""",
    "brand": """
        brand|vendor|manufacturer|marke|hersteller|marque|fabricant|marca|fabricante|merk|fabrikant""",
    "category": """
        category|product category|categories|product type|department|type|kategorie|produktkategorie
        |kategorien|warengruppe|categorie|rayon|categoria|categorias|productcategorie""",
    "image_url": """
        image|image url|image src|main image|image link|picture|photo|images|bild|bild url|bildlink
        |photo url|lien image|imagen|url imagen|afbeelding|afbeelding url""",
    "url": """
        url|product url|link|permalink|page|web address|produktlink|produktseite|lien|lien produit|enlace
        |productlink|webadres""",
    "stock": """
        stock|stock quantity|inventory quantity|variant inventory qty|inventory|quantity|qty|lagerbestand
        |bestand|menge|quantite|existencias|inventario|cantidad|voorraad|aantal""",
    "in_stock": """
        in stock|available|availability|stock status|lieferbar|verfugbar|auf lager|disponible
        |disponibilite|disponibilidad|op voorraad|leverbaar""",
    "is_active": """
        active|published|is active|enabled|visible|status|aktiv|veroffentlicht|actif|publie|activo
        |publicado|actief|gepubliceerd""",
    "updated_at": """
        updated at|last updated|modified|modified at|last modified|geandert am|aktualisiert am|modifie le
        |actualizado|gewijzigd op""",
    "price": """
        price|variant price|regular price|unit price|unitprice|lineitem price|item price|preis
        |verkaufspreis|prix|prix de vente|precio|prijs
        |verkoopprijs""",
    "currency": "currency|currency code|wahrung|devise|monnaie|moneda|divisa|valuta|munteenheid",
    "total": """
        total|order total|grand total|amount|total amount|gesamt|summe|gesamtbetrag|montant
        |montant total|importe|totaal""",
    "code": """
        code|coupon|coupon code|discount code|voucher|voucher code|gutschein|gutscheincode|rabattcode
        |code promo|cupon|codigo|kortingscode""",
    "quantity": "quantity|qty|lineitem quantity|menge|anzahl|quantite|cantidad|aantal",
}  # fmt: skip

# Words before or after what a column says, which say only of whom or by what.
_AROUND = frozenset(
    re.findall(
        r"\w+",
        "property contact customer lead client user person subscriber member billing shipping default address"
        " primary main work home personal private business merge your kunde kunden kontakt haupt privat"
        " geschaftlich du le la de del cliente contacto klant",
    )
)


def spelled(heading: str) -> str:
    """A heading without what people vary: case, accents, signs, and words in one as in firstName."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", heading)
    text = unicodedata.normalize("NFKD", text.casefold())
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    return " ".join(re.findall(r"\w+", text.replace("_", " ")))


def loosely(heading: str) -> str:
    """The same without remarks in brackets and without words that say only of whom."""
    words = spelled(re.sub(r"[(\[].*?[)\]]", " ", heading)).split()
    while len(words) > 1 and words[0] in _AROUND:
        words = words[1:]
    while len(words) > 1 and words[-1] in _AROUND:
        words = words[:-1]
    return " ".join(words)


SYNONYMS = {meaning: tuple(word.strip() for word in words.split("|")) for meaning, words in _WORDS.items()}
WORDS = frozenset(word for words in SYNONYMS.values() for word in words)
